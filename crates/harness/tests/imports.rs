//! What ARCHITECTURE.md says of imports: in these crates no two files import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The path of a module, as `use` lines have it after `crate`.
type Module = Vec<String>;

/// The files below a folder, by the module that each holds.
fn modules(folder: &Path, at: &[String], found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let below = [at, std::slice::from_ref(&name)].concat();
        if path.is_dir() {
            modules(&path, &below, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let is_folders = ["mod", "lib", "main"].contains(&&name[..]);
            let module = if is_folders { at.to_vec() } else { below };
            let text = fs::read_to_string(&path).unwrap();
            // Tests may use what they test.
            let code = text.split("#[cfg(test)]").next().unwrap();
            found.entry(module).or_default().push_str(code);
        }
    }
}

/// The modules that one imports, by its `use` lines.
fn imports(module: &Module, text: &str, all: &BTreeMap<Module, String>) -> BTreeSet<Module> {
    // Lines with `pub` hand on what others have made.
    let lines = text.lines().filter_map(|line| line.strip_prefix("use "));
    let paths = lines.filter_map(|line| {
        let line = line.split(['{', ';']).next().unwrap_or_default();
        let mut parts: Vec<&str> = line.split("::").map(str::trim).collect();
        let mut path = match parts[0] {
            "crate" => Module::new(),
            "super" => module.clone(),
            _ => return None,
        };
        if parts[0] == "crate" {
            parts.remove(0);
        }
        for part in parts {
            match part {
                "super" => drop(path.pop()),
                part => path.push(part.to_owned()),
            }
        }
        Some(path)
    });
    let file = |path: Module| {
        let mut lengths = (1..=path.len()).rev();
        lengths.find_map(|length| all.get_key_value(&path[..length]).map(|(at, _)| at.clone()))
    };
    paths
        .filter_map(file)
        .filter(|other| other != module)
        .collect()
}

#[test]
fn no_two_files_import_each_other() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for name in ["log", "multicast", "net", "harness"] {
        let mut all = BTreeMap::new();
        modules(&crates.join(name).join("src"), &[], &mut all);
        let imported: BTreeMap<&Module, BTreeSet<Module>> = all
            .iter()
            .map(|(module, text)| (module, imports(module, text, &all)))
            .collect();
        let count: usize = imported.values().map(BTreeSet::len).sum();
        assert!(
            count > all.len(),
            "{name}: {count} imports of {} files",
            all.len()
        );
        for (module, imports) in &imported {
            for other in imports {
                let both = imported[other].contains(*module);
                assert!(
                    !both,
                    "in {name} {module:?} and {other:?} import each other"
                );
            }
        }
    }
}
