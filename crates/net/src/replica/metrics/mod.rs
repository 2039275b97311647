//! What a replica tells over HTTP: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever
//! starts, stops and replaces it.
//!
//! It has a thread of its own, and asks the event loop as its owner does. Invariant: it holds up
//! nobody. A peer that sends garbage, too much or nothing loses its connection and nothing else,
//! and a replica that is busy makes a scrape fail.

mod families;
mod page;
mod plumbing;
#[cfg(test)]
mod tests;

use super::input::Question;
use super::places::Places;
use crate::cache::cache_servers;
use crate::error::NetError;
use crate::report::ReplicaReport;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use prometheus_client::encoding::prometheus_text;
use ssmr_core::ReplicaId;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// How many connections there may be. The oldest gives way to a new one.
const CONNECTIONS: usize = 32;
/// How long a connection may last: one question, one answer.
const WHOLE: Duration = Duration::from_secs(5);
/// How long the replica may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How many bytes a request may have.
const REQUEST: usize = 16 << 10;
/// How long to wait when no connection can be accepted: nothing tells when one can again.
const OUT_OF_FILES: Duration = Duration::from_millis(20);

/// What is served where.
const PAGES: &str = "/metrics  what is counted here, in Prometheus's text format\n\
                     /healthz  200 while the replica runs\n\
                     /readyz   200 while it is a voter of its group and knows who leads it\n";

/// A thread that serves what a replica tells. It ends when the replica does.
#[derive(Debug)]
pub(super) struct MetricsServer {
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Starts it. It asks `questions`, without keeping the replica from ending, until the sender of
    /// `ended` is gone.
    ///
    /// # Errors
    /// If the address cannot be listened on, or the thread cannot be started.
    pub(super) fn start(
        id: ReplicaId,
        listen: SocketAddr,
        questions: mpsc::WeakSender<Question>,
        mut ended: watch::Receiver<()>,
    ) -> Result<Self, NetError> {
        let unusable = |source| NetError::Bind {
            address: format!("{listen} (metrics of {id})"),
            source,
        };
        let failed = |source| NetError::Start {
            what: format!("the metrics of replica {id}"),
            source,
        };
        let listener = TcpListener::bind(listen).map_err(unusable)?;
        listener.set_nonblocking(true).map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().map_err(failed)?;
        let asker = Asker { id, questions };
        let serve = async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => accept(listener, asker).await,
                Err(error) => tracing::error!(%id, %error, "metrics cannot be served"),
            }
        };
        let serve = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve => {}
                    // Nothing is ever sent there.
                    _ = ended.changed() => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name(format!("metrics {id}"));
        let thread = thread.spawn(serve).map_err(failed)?;
        Ok(Self {
            address,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has ended, as it does when the replica has.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(address = %self.address, "the metrics' thread had failed");
        }
    }
}

/// Who asks the replica.
#[derive(Clone, Debug)]
struct Asker {
    id: ReplicaId,
    questions: mpsc::WeakSender<Question>,
}

impl Asker {
    /// What the replica tells, if it does in time.
    async fn report(&self) -> Option<Box<ReplicaReport>> {
        let (answer, answered) = oneshot::channel();
        let asked = async {
            // The sender goes at once: while there is one the replica does not end.
            let questions = self.questions.upgrade()?;
            questions.send(Question::Report(answer)).await.ok()?;
            drop(questions);
            answered.await.ok()
        };
        timeout(ANSWER, asked).await.ok().flatten()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n".into());
            let allowed = hyper::header::HeaderValue::from_static("GET, HEAD");
            refusal.headers_mut().insert(ALLOW, allowed);
            return refusal;
        }
        match request.uri().path() {
            "/metrics" => match self.report().await {
                Some(report) => metrics(self.id, *report),
                None => text(StatusCode::SERVICE_UNAVAILABLE, silent(self.id)),
            },
            // While there is a thread to say so, there is a replica: the one ends with the other.
            "/healthz" => text(StatusCode::OK, format!("{} runs\n", self.id)),
            "/readyz" => match self.report().await {
                Some(report) => readiness(&report),
                None => text(StatusCode::SERVICE_UNAVAILABLE, silent(self.id)),
            },
            "/" => text(StatusCode::OK, PAGES.into()),
            _ => text(StatusCode::NOT_FOUND, PAGES.into()),
        }
    }
}

/// Accepts connections for ever.
async fn accept(listener: tokio::net::TcpListener, asker: Asker) {
    let places = Places::new(CONNECTIONS);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection for metrics cannot be accepted");
                tokio::time::sleep(OUT_OF_FILES).await;
                continue;
            }
        };
        let (asker, mut place) = (asker.clone(), places.take());
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = timeout(WHOLE, serve(stream, &asker)) => Some(ended),
                () = place.lost() => None,
            };
            tracing::trace!(id = %asker.id, ?ended, "a connection for metrics ended");
        });
    }
}

/// Answers the one request of a connection.
async fn serve(stream: TcpStream, asker: &Asker) -> Result<(), hyper::Error> {
    let answer = |request| async { Ok::<_, Infallible>(asker.answer(request).await) };
    http1::Builder::new()
        .keep_alive(false)
        .half_close(false)
        .max_buf_size(REQUEST)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await
}

fn silent(id: ReplicaId) -> String {
    format!("{id} does not answer\n")
}

/// Whether the replica can do its part, and why not.
fn readiness(report: &ReplicaReport) -> Response<Full<Bytes>> {
    let status = &report.status;
    let id = status.id;
    match status.leader.filter(|_| status.hears_leader) {
        _ if !status.is_member => unready(format!("{id} is no member of its group yet\n")),
        _ if !status.is_voter => unready(format!("{id} is filled by its group\n")),
        None => unready(format!("{id} hears of no leader\n")),
        Some(leader) => text(StatusCode::OK, format!("{id} votes, {leader} leads\n")),
    }
}

fn unready(why: String) -> Response<Full<Bytes>> {
    text(StatusCode::SERVICE_UNAVAILABLE, why)
}

fn metrics(id: ReplicaId, report: ReplicaReport) -> Response<Full<Bytes>> {
    match families::page(report, cache_servers()) {
        Ok(page) => response(StatusCode::OK, prometheus_text::CONTENT_TYPE, page),
        Err(error) => {
            tracing::error!(%id, %error, "metrics cannot be written");
            text(StatusCode::INTERNAL_SERVER_ERROR, "no metrics\n".into())
        }
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", body)
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let value = hyper::header::HeaderValue::from_static;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, value(kind));
    headers.insert(CACHE_CONTROL, value("no-store"));
    response
}
