// tonic's side of the scenarios; see scenario.c.
//   scenario server
//   scenario client SCENARIO ADDRESS COUNT SIZE
use std::{
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Instant,
};

use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{
    wrappers::{ReceiverStream, TcpListenerStream},
    Stream, StreamExt,
};
use tonic::{
    transport::{Channel, Endpoint, Server},
    Request, Response, Status, Streaming,
};

mod testing {
    tonic::include_proto!("grpc.testing");
}
use testing::{
    benchmark_service_client::BenchmarkServiceClient,
    benchmark_service_server::{BenchmarkService, BenchmarkServiceServer},
    Payload, SimpleRequest, SimpleResponse,
};

const OPEN: usize = 64;
const LIMIT: usize = 8 << 20;

fn payload(size: usize) -> Option<Payload> {
    Some(Payload { body: vec![0; size], ..Default::default() })
}

fn length(payload: &Option<Payload>) -> usize {
    payload.as_ref().map_or(0, |p| p.body.len())
}

// ---- server

struct Service;

fn response(request: &SimpleRequest) -> SimpleResponse {
    SimpleResponse { payload: payload(request.response_size as usize), ..Default::default() }
}

type Answers = Pin<Box<dyn Stream<Item = Result<SimpleResponse, Status>> + Send>>;

#[tonic::async_trait]
impl BenchmarkService for Service {
    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        Ok(Response::new(response(request.get_ref())))
    }

    type StreamingCallStream = Answers;
    async fn streaming_call(&self, request: Request<Streaming<SimpleRequest>>) -> Result<Response<Answers>, Status> {
        Ok(Response::new(Box::pin(request.into_inner().map(|r| r.map(|r| response(&r))))))
    }

    async fn streaming_from_client(
        &self,
        request: Request<Streaming<SimpleRequest>>,
    ) -> Result<Response<SimpleResponse>, Status> {
        let mut requests = request.into_inner();
        let (mut count, mut bytes) = (0, 0);
        while let Some(m) = requests.message().await? {
            count += 1;
            bytes += length(&m.payload);
        }
        Ok(Response::new(SimpleResponse { server_id: format!("{count}:{bytes}"), ..Default::default() }))
    }

    type StreamingFromServerStream = Answers;
    async fn streaming_from_server(&self, request: Request<SimpleRequest>) -> Result<Response<Answers>, Status> {
        let message = response(request.get_ref());
        Ok(Response::new(Box::pin(tokio_stream::iter(std::iter::repeat_with(move || Ok(message.clone()))))))
    }
}

async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("listening on {}", listener.local_addr().expect("its address"));
    let service = BenchmarkServiceServer::new(Service).max_decoding_message_size(LIMIT);
    let connections = TcpListenerStream::new(listener).map(|c| c.and_then(|c| c.set_nodelay(true).map(|_| c)));
    Server::builder().add_service(service).serve_with_incoming(connections).await.expect("the server");
}

// ---- client

type Client = BenchmarkServiceClient<Channel>;

fn ask(size: usize) -> SimpleRequest {
    SimpleRequest { response_size: size as i32, payload: payload(size), ..Default::default() }
}

fn check(response: &SimpleResponse, size: usize) {
    assert_eq!(length(&response.payload), size, "a response is wrong");
}

async fn unary(mut client: Client, size: usize, round_trips: &mut [f64]) {
    let request = ask(size);
    for taken in round_trips {
        let before = Instant::now();
        check(client.unary_call(request.clone()).await.expect("a response").get_ref(), size);
        *taken = before.elapsed().as_secs_f64();
    }
}

async fn ping(mut client: Client, size: usize, round_trips: &mut [f64]) {
    let (sender, receiver) = mpsc::channel(1);
    let mut answers = client.streaming_call(ReceiverStream::new(receiver)).await.expect("a call").into_inner();
    let request = ask(size);
    for taken in round_trips {
        let before = Instant::now();
        sender.send(request.clone()).await.expect("an open call");
        check(&answers.message().await.expect("an answer").expect("an answer"), size);
        *taken = before.elapsed().as_secs_f64();
    }
    drop(sender);
    assert!(answers.message().await.expect("the end").is_none());
}

async fn upload(mut client: Client, count: usize, size: usize) {
    let request = ask(size);
    let messages = tokio_stream::iter(std::iter::repeat_with(move || request.clone()).take(count));
    let summary = client.streaming_from_client(messages).await.expect("a summary").into_inner();
    assert_eq!(summary.server_id, format!("{count}:{}", count * size));
}

async fn download(mut client: Client, count: usize, size: usize) {
    let mut answers = client.streaming_from_server(ask(size)).await.expect("a call").into_inner();
    for _ in 0..count {
        check(&answers.message().await.expect("a message").expect("a message"), size);
    }
}

async fn throughput(client: Client, count: usize, size: usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..OPEN)
        .map(|_| {
            let (mut client, next, request) = (client.clone(), next.clone(), ask(size));
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    check(client.unary_call(request.clone()).await.expect("a response").get_ref(), size);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("its calls");
    }
}

fn cpu() -> f64 {
    let mut u: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    seconds(u.ru_utime) + seconds(u.ru_stime)
}

async fn measure(kind: &str, address: &str, count: usize, size: usize) {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address").tcp_nodelay(true);
    let channel = endpoint.connect().await.expect("a connection");
    let client = BenchmarkServiceClient::new(channel).max_decoding_message_size(LIMIT);
    let mut round_trips = vec![0.0; count];
    let (start, used) = (Instant::now(), cpu());
    match kind {
        "unary" => unary(client, size, &mut round_trips).await,
        "ping" => ping(client, size, &mut round_trips).await,
        "throughput" => throughput(client, count, size).await,
        "upload" => upload(client, count, size).await,
        "download" => download(client, count, size).await,
        _ => panic!("no such scenario: {kind}"),
    }
    let (passed, spent) = (start.elapsed().as_secs_f64(), cpu() - used);
    round_trips.sort_by(f64::total_cmp);
    let micros = |at: usize| round_trips[at] * 1e6;
    println!(
        "{:.0} {:.1} {:.1} {:.0}",
        count as f64 / passed,
        micros(count / 2),
        micros(count * 99 / 100),
        spent / count as f64 * 1e9
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |at: usize| arguments[at].parse().expect("a number");
    match arguments.len() {
        2 => serve().await,
        6 => measure(&arguments[2], &arguments[3], number(4), number(5)).await,
        _ => panic!("usage: scenario server | scenario client SCENARIO ADDRESS COUNT SIZE"),
    }
}
