//! hyper (the crate h2) as a plain HTTP/2 peer, with prior knowledge.
//!
//!     echo server --port=N            POST: what was sent; GET /N: N times 'm'
//!     echo client --url=URL --size=N  posts N bytes and compares what comes back

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{combinators::BoxBody, BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use tokio::net::{TcpListener, TcpStream};

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn sizes(size: u64) -> impl Iterator<Item = usize> {
    (0..size.div_ceil(65536)).map(move |i| (size - i * 65536).min(65536) as usize)
}

fn body(pieces: impl Iterator<Item = Bytes> + Send + Sync + 'static) -> BoxBody<Bytes, hyper::Error> {
    let frames = pieces.map(|p| Ok::<_, Infallible>(Frame::data(p)));
    BodyExt::boxed(StreamBody::new(stream::iter(frames)).map_err(|e| match e {}))
}

async fn answer(r: Request<Incoming>) -> Result<Response<BoxBody<Bytes, hyper::Error>>, Infallible> {
    if r.method() == Method::POST {
        return Ok(Response::new(r.into_body().boxed()));
    }
    let n = r.uri().path()[1..].parse().unwrap_or(0);
    let piece = Bytes::from(vec![b'm'; 65536]);
    Ok(Response::new(body(sizes(n).map(move |n| piece.slice(..n)))))
}

async fn serve(port: &str) -> Result<(), Fault> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        let io = TokioIo::new(socket);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(answer);
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
        });
    }
}

async fn post(url: &str, size: u64) -> Result<(), Fault> {
    let uri: Uri = url.parse()?;
    let socket = TcpStream::connect(uri.authority().ok_or("no address")?.as_str()).await?;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    let piece = Bytes::from((0..65536u64).map(|i| (i * 31 >> 3) as u8).collect::<Vec<u8>>());
    let sent = piece.clone();
    let request = Request::post(uri).body(body(sizes(size).map(move |n| sent.slice(..n))))?;
    let response = sender.send_request(request).await?;
    let (status, mut content, mut got) = (response.status(), response.into_body(), 0u64);
    while let Some(frame) = content.frame().await {
        if let Ok(data) = frame?.into_data() {
            if data.iter().enumerate().any(|(i, b)| *b != ((got + i as u64) * 31 >> 3) as u8) {
                return Err(format!("bytes behind {got} differ").into());
            }
            got += data.len() as u64;
        }
    }
    if status != 200 || got != size {
        return Err(format!("status {status}, {got} bytes in place of {size}").into());
    }
    Ok(())
}

fn option(name: &str) -> String {
    let start = format!("--{name}=");
    std::env::args().find_map(|a| a.strip_prefix(&start).map(str::to_owned)).unwrap_or_default()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    if std::env::args().nth(1).as_deref() == Some("client") {
        return post(&option("url"), option("size").parse()?).await;
    }
    serve(&option("port")).await
}
