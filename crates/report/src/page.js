'use strict';
(() => {
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const form = document.getElementById('controls');
  const tip = document.getElementById('tip');

  // ---- what is shown

  function apply() {
    const chosen = (name) => form.elements[name]?.value;
    const hidden = new Set(all('[name=strategy]:not(:checked)', form).map((box) => box.value));
    const every = form.elements.every.checked;
    for (const one of all('figure [data-strategy]')) {
      one.toggleAttribute('data-off', hidden.has(one.dataset.strategy));
    }
    // A legend's name may have a verdict behind it: `broker (unchecked)`.
    const strategies = all('[name=strategy]', form).map((box) => box.value);
    for (const one of all('figure [data-legend]')) {
      const name = one.dataset.legend;
      const of = strategies.find((strategy) => name === strategy || name.startsWith(strategy + ' ('));
      one.toggleAttribute('data-off', hidden.has(of));
    }
    for (const figure of all('figure')) {
      const series = all('[data-strategy]', figure);
      figure.hidden = figure.dataset.op !== chosen('op')
        || (figure.dataset.latency && figure.dataset.latency !== chosen('latency'))
        || (series.length > 0 && series.every((one) => one.hasAttribute('data-off')));
    }
    for (const row of all('tr[data-strategy]')) {
      const otherOp = row.dataset.op && !every && row.dataset.op !== chosen('op');
      row.hidden = hidden.has(row.dataset.strategy) || Boolean(otherOp);
    }
    tell(null);
  }

  // ---- tables

  function sort(head) {
    const body = head.closest('table').tBodies[0];
    const place = head.cellIndex;
    const down = head.getAttribute('aria-sort') === 'ascending';
    for (const other of head.parentElement.cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const key = (row) => {
      const cell = row.cells[place];
      const value = cell.dataset.value;
      return value === undefined ? cell.textContent : Number(value);
    };
    const order = (one, other) => {
      const [a, b] = [key(one), key(other)];
      // What is empty comes last, either way.
      if (a === '' || b === '') return (a === '') - (b === '');
      const less = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
      return down ? -less : less;
    };
    body.append(...[...body.rows].sort(order));
  }

  // ---- values of figures

  const round = (value) => Number(value.toPrecision(3)).toLocaleString('en');

  // What an axis says at a place: its label is `throughput (kops/s)`, say.
  function axis(frame, letter, share) {
    const { [letter + 'Scale']: scale, [letter + 'Range']: range, [letter + 'Label']: label } = frame.dataset;
    const [from, to] = range.split(' ').map(Number);
    if (scale === 'names') return null;
    const value = scale === 'log' ? from * (to / from) ** share : from + (to - from) * share;
    const [, name, unit] = /^(.*?)(?: \((.*)\))?$/.exec(label);
    return `${name || 'time'} ${round(value)}${unit ? ' ' + unit : ''}`;
  }

  // Frames share an axis with the one beneath: only that one has its label.
  function value(frames, strategy, x, y) {
    const within = ([left, top, right, bottom]) => x >= left - 1 && x <= right + 1 && y >= top - 1 && y <= bottom + 1;
    const found = frames.find(({ edges }) => within(edges));
    if (!found) return null;
    const [left, top, right, bottom] = found.edges;
    const below = frames.findLast(({ frame }) => frame.dataset.xLabel) ?? found;
    const told = [axis(below.frame, 'x', (x - left) / (right - left)), axis(found.frame, 'y', (bottom - y) / (bottom - top))];
    return [strategy + ':', told.filter(Boolean).join(', ')].join(' ');
  }

  const known = new Map();

  // All that has a value in a figure, from left to right.
  function points(svg) {
    if (known.has(svg)) return known.get(svg);
    const frames = all('.frame', svg).map((frame) => ({ frame, edges: frame.dataset.edges.split(' ').map(Number) }));
    const [found, lines] = [[], []];
    for (const group of all('.value', svg)) {
      const box = group.getBBox();
      found.push({ group, x: box.x + box.width / 2, y: box.y + box.height / 2, text: group.dataset.told });
    }
    // A line goes through its markers, which say more.
    const isMarked = (x, y) => found.some((point) => Math.hypot(point.x - x, point.y - y) < 2);
    for (const path of all('[data-strategy] path[fill=none]', svg)) {
      const numbers = path.getAttribute('d').match(/-?[\d.]+/g).map(Number);
      const group = path.closest('[data-strategy]');
      for (let place = 0; place + 1 < numbers.length; place += 2) {
        const [x, y] = [numbers[place], numbers[place + 1]];
        const text = value(frames, group.dataset.strategy, x, y);
        if (text && !isMarked(x, y)) lines.push({ group, x, y, text });
      }
    }
    found.push(...lines);
    found.sort((one, other) => one.x - other.x || one.y - other.y);
    known.set(svg, found);
    return found;
  }

  const shown = (svg) => points(svg).filter(({ group }) => !group.closest('[data-off]'));

  function tell(svg, point) {
    tip.hidden = !point;
    if (!point) return;
    tip.textContent = point.text;
    const at = new DOMPoint(point.x, point.y).matrixTransform(svg.getScreenCTM());
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(Math.max(4, at.x - width / 2), document.documentElement.clientWidth - width - 4);
    const top = at.y - height - 12 < 0 ? at.y + 16 : at.y - height - 12;
    tip.style.transform = `translate(${left}px, ${top}px)`;
  }

  function pointed(svg, event) {
    const group = event.target.closest?.('.value');
    if (group) return shown(svg).find((point) => point.group === group);
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const far = ({ x, y }) => Math.hypot(x - at.x, y - at.y);
    const near = shown(svg).reduce((best, point) => (best && far(best) <= far(point) ? best : point), null);
    return near && far(near) < 14 ? near : null;
  }

  function watch(svg) {
    let place = -1;
    svg.tabIndex = 0;
    svg.setAttribute('role', 'group');
    svg.setAttribute('aria-label', `${svg.querySelector('title')?.textContent}: arrow keys tell values`);
    // The page tells values itself, at once and for keys and fingers, too.
    for (const group of all('.value', svg)) {
      const title = group.querySelector('title');
      group.dataset.told = title?.textContent ?? '';
      title?.remove();
    }
    svg.querySelector(':scope > title')?.remove();
    for (const kind of ['pointermove', 'pointerdown']) {
      svg.addEventListener(kind, (event) => tell(svg, pointed(svg, event)));
    }
    for (const kind of ['pointerleave', 'blur']) svg.addEventListener(kind, () => tell(null));
    svg.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape') return tell(null);
      const there = shown(svg);
      if (!step || there.length === 0) return undefined;
      event.preventDefault();
      place = (Math.max(place, step < 0 ? 0 : -1) + step + there.length) % there.length;
      return tell(svg, there[place]);
    });
  }

  // ---- the page

  // What a link leads to may be folded.
  function unfold() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let up = target; up; up = up.parentElement) if (up.tagName === 'DETAILS') up.open = true;
    if (target) target.scrollIntoView();
  }

  form.hidden = false;
  form.addEventListener('change', apply);
  form.addEventListener('submit', (event) => event.preventDefault());
  all('figure svg').forEach(watch);
  for (const button of all('.sheet thead button')) button.addEventListener('click', () => sort(button.closest('th')));
  for (const button of all('.enlarge')) {
    button.addEventListener('click', () => {
      const large = button.closest('figure').classList.toggle('large');
      button.setAttribute('aria-pressed', large);
      button.textContent = large ? 'Make smaller' : 'Enlarge';
      tell(null);
    });
  }
  addEventListener('hashchange', unfold);
  addEventListener('scroll', () => tell(null), { passive: true });
  addEventListener('beforeprint', () => all('details').forEach((one) => { one.open = true; }));
  apply();
  if (location.hash === '#selftest') selftest();
  else unfold();

  // ---- the page tries itself: `report.html#selftest`, for tests

  function selftest() {
    const failed = [];
    let count = 0;
    const check = (what, good) => {
      count += 1;
      if (!good) failed.push(what);
    };
    const visible = (what) => all(what).filter((one) => one.getClientRects().length > 0);
    const fits = () => document.documentElement.scrollWidth <= document.documentElement.clientWidth;
    check(`the page is ${document.documentElement.scrollWidth} wide`, fits());
    const levels = all('h1, h2, h3').map((head) => Number(head.tagName[1]));
    check('headings are in order', levels[0] === 1 && levels.every((level, place) => level <= (levels[place - 1] ?? 0) + 1));
    const ids = all('[id]').map((one) => one.id);
    check('ids are unique', new Set(ids).size === ids.length);
    check('links lead somewhere', all('a[href^="#"]').every((link) => document.getElementById(link.hash.slice(1))));

    const table = document.querySelector('main section:nth-of-type(3) table');
    for (const head of all('thead th', table).slice(0, 12)) {
      const column = () => all('tbody tr', table).map((row) => row.cells[head.cellIndex]);
      const before = column().map((cell) => cell.textContent).sort().join();
      for (const [way, sign] of [['ascending', 1], ['descending', -1]]) {
        head.querySelector('button').click();
        const numbers = column().filter((cell) => cell.dataset.value !== undefined).map((cell) => Number(cell.dataset.value));
        check(`${head.textContent}: ${way}`, head.getAttribute('aria-sort') === way
          && numbers.every((number, place) => place === 0 || sign * (number - numbers[place - 1]) >= 0));
      }
      check(`${head.textContent}: nothing is lost`, before === column().map((cell) => cell.textContent).sort().join());
    }

    const box = form.querySelector('[name=strategy]');
    if (box) {
      const own = (what) => visible(what).filter((one) => one.dataset.strategy === box.value).length;
      const [rows, series] = [own('tr'), own('figure [data-strategy]')];
      const others = visible('tr[data-strategy]').length - rows;
      box.click();
      check('rows are hidden', rows > 0 && own('tr') === 0 && visible('tr[data-strategy]').length === others);
      check('series are hidden', own('figure [data-strategy]') === 0 && !visible('[data-legend]').some((one) => one.dataset.legend === box.value));
      box.click();
      check('and come back', own('tr') === rows && own('figure [data-strategy]') === series);
      const every = form.elements.every;
      every.click();
      check('every operation is there', all('tr[data-op]').every((row) => !row.hidden));
      every.click();
    }
    const select = form.elements.op;
    for (const { value: op } of select ? [...select.options] : []) {
      select.value = op;
      select.dispatchEvent(new Event('change', { bubbles: true }));
      check(`figures of ${op}`, visible('figure').every((figure) => figure.dataset.op === op));
      check(`rows of ${op}`, visible('tr[data-op]').every((row) => row.dataset.op === op));
      if (all('figure').some((figure) => figure.dataset.op === op)) check(`a figure of ${op}`, visible('figure').length > 0);
    }
    if (select) {
      select.selectedIndex = 0;
      select.dispatchEvent(new Event('change', { bubbles: true }));
    }
    for (const svg of visible('figure svg')) {
      const there = shown(svg);
      check('a figure has values', there.length > 0 && there.every((point) => point.text));
      svg.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
      check('keys tell values', !tip.hidden && tip.textContent === there[0]?.text);
      const edge = tip.getBoundingClientRect();
      check('they are within the page', edge.left >= 0 && edge.right <= innerWidth);
      svg.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
      check('and go', tip.hidden);
    }
    const enlarge = visible('.enlarge')[0];
    enlarge?.click();
    check('a large figure fits', fits());
    enlarge?.click();
    for (const one of all('details')) one.open = true;
    check('the unfolded page fits', fits());

    const out = document.getElementById('selftest');
    out.dataset.state = failed.length === 0 ? 'passed' : 'failed';
    out.textContent = `${count} checks at ${innerWidth} pixels; failed: ${failed.join('; ') || 'none'}`;
    out.hidden = false;
  }
})();
