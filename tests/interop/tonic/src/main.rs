// The interoperability tests with tonic: a server, and a client that runs one case.
//   peer server --port=N [--cert=PEM --key=PEM]
//   peer client --server_host=H --server_port=N --test_case=NAME [--ca=PEM]
use std::{collections::HashMap, pin::Pin, time::Duration};

use tokio::{sync::mpsc, time::sleep};
use tokio_stream::{wrappers::ReceiverStream, Stream, StreamExt};
use tonic::{
    codec::CompressionEncoding::Gzip,
    metadata::{MetadataMap, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Identity, Server, ServerTlsConfig},
    Code, Request, Response, Status, Streaming,
};

mod testing {
    tonic::include_proto!("grpc.testing");
}
use testing::{
    test_service_client::TestServiceClient,
    test_service_server::{TestService, TestServiceServer},
    unimplemented_service_client::UnimplementedServiceClient,
    *,
};

const INITIAL: &str = "x-grpc-test-echo-initial";
const TRAILING: &str = "x-grpc-test-echo-trailing-bin";
const LIMIT: usize = 8 << 20;

type Answers = Pin<Box<dyn Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send>>;

fn payload(size: i32) -> Option<Payload> {
    Some(Payload { r#type: 0, body: vec![0; size as usize] })
}

// ---- server

struct Service;

// A unary call of tonic's has no trailers of its own.
fn echo<T>(asked: &MetadataMap, response: &mut Response<T>) {
    if let Some(value) = asked.get(INITIAL) {
        response.metadata_mut().insert(INITIAL, value.clone());
    }
}

fn trailers(asked: &MetadataMap) -> Option<Status> {
    let value = asked.get_bin(TRAILING)?;
    let mut metadata = MetadataMap::new();
    metadata.insert_bin(TRAILING, value.clone());
    Some(Status::with_metadata(Code::Ok, "", metadata))
}

fn check(status: &Option<EchoStatus>) -> Result<(), Status> {
    match status {
        Some(s) if s.code != 0 => Err(Status::new(Code::from(s.code), s.message.clone())),
        _ => Ok(()),
    }
}

// Answers each request with its responses; ends with the trailers, if there are any.
fn respond<S>(mut requests: S, end: Option<Status>) -> Answers
where
    S: Stream<Item = Result<StreamingOutputCallRequest, Status>> + Send + Unpin + 'static,
{
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        while let Some(Ok(request)) = requests.next().await {
            if let Err(status) = check(&request.response_status) {
                let _ = sender.send(Err(status)).await;
                return;
            }
            for p in request.response_parameters {
                sleep(Duration::from_micros(p.interval_us as u64)).await;
                let response = StreamingOutputCallResponse { payload: payload(p.size), ..Default::default() };
                if sender.send(Ok(response)).await.is_err() {
                    return;
                }
            }
        }
        if let Some(status) = end {
            let _ = sender.send(Err(status)).await;
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}

#[tonic::async_trait]
impl TestService for Service {
    async fn empty_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        check(&request.get_ref().response_status)?;
        let size = request.get_ref().response_size;
        let mut response = Response::new(SimpleResponse { payload: payload(size), ..Default::default() });
        echo(request.metadata(), &mut response);
        Ok(response)
    }

    async fn cacheable_unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        self.unary_call(request).await
    }

    type StreamingOutputCallStream = Answers;
    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Answers>, Status> {
        Ok(Response::new(respond(tokio_stream::iter([Ok(request.into_inner())]), None)))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let mut requests = request.into_inner();
        let mut total = 0;
        while let Some(m) = requests.message().await? {
            total += m.payload.map_or(0, |p| p.body.len() as i32);
        }
        Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size: total }))
    }

    type FullDuplexCallStream = Answers;
    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let (metadata, _, requests) = request.into_parts();
        let mut response = Response::new(respond(requests, trailers(&metadata)));
        echo(&metadata, &mut response);
        Ok(response)
    }

    type HalfDuplexCallStream = Answers;
    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let requests: Vec<_> = request.into_inner().collect().await;
        Ok(Response::new(respond(tokio_stream::iter(requests), None)))
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(Status::unimplemented(""))
    }
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(name).expect("a file")
}

async fn serve(port: &str, cert: &str, key: &str) {
    let service = TestServiceServer::new(Service)
        .accept_compressed(Gzip)
        .max_decoding_message_size(LIMIT)
        .max_encoding_message_size(LIMIT);
    let address = format!("127.0.0.1:{port}").parse().expect("a port");
    let mut server = Server::builder();
    if !cert.is_empty() {
        let identity = Identity::from_pem(read(cert), read(key));
        server = server.tls_config(ServerTlsConfig::new().identity(identity)).expect("a certificate");
    }
    server.add_service(service).serve(address).await.expect("the server");
}

// ---- client

type Client = TestServiceClient<Channel>;

fn asking(sizes: &[i32]) -> StreamingOutputCallRequest {
    let response_parameters = sizes.iter().map(|&size| ResponseParameters { size, ..Default::default() }).collect();
    StreamingOutputCallRequest { response_parameters, ..Default::default() }
}

fn size_of(m: &StreamingOutputCallResponse) -> usize {
    m.payload.as_ref().map_or(0, |p| p.body.len())
}

async fn large(client: &mut Client, request: SimpleRequest, metadata: MetadataMap) -> Response<SimpleResponse> {
    let full = SimpleRequest { response_size: 314159, payload: payload(271828), ..request };
    let response = client.unary_call(Request::from_parts(metadata, Default::default(), full)).await.expect("a response");
    assert_eq!(response.get_ref().payload, payload(314159));
    response
}

fn gzip(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

async fn ping_pong(client: &mut Client, pairs: &[(i32, i32)], metadata: MetadataMap) -> (MetadataMap, MetadataMap) {
    let (sender, receiver) = mpsc::channel(1);
    let request = Request::from_parts(metadata, Default::default(), ReceiverStream::new(receiver));
    let first = tokio::spawn({
        let (sender, pairs) = (sender.clone(), pairs.to_vec());
        async move {
            if let Some(&(a, b)) = pairs.first() {
                let _ = sender.send(StreamingOutputCallRequest { payload: payload(a), ..asking(&[b]) }).await;
            }
        }
    });
    let response = client.full_duplex_call(request).await.expect("a response");
    first.await.expect("the first message");
    let initial = response.metadata().clone();
    let mut answers = response.into_inner();
    for (i, &(a, b)) in pairs.iter().enumerate() {
        if i > 0 {
            let message = StreamingOutputCallRequest { payload: payload(a), ..asking(&[b]) };
            sender.send(message).await.expect("an open call");
        }
        assert_eq!(size_of(&answers.message().await.expect("an answer").expect("an answer")), b as usize);
    }
    drop(sender);
    assert!(answers.message().await.expect("the end").is_none());
    (initial, answers.trailers().await.expect("trailers").unwrap_or_default())
}

async fn status(client: &mut Client, text: &str) {
    let wanted = Some(EchoStatus { code: 2, message: text.into() });
    let request = SimpleRequest { response_status: wanted.clone(), ..Default::default() };
    let one = client.unary_call(request).await.expect_err("a status");
    assert_eq!((one.code(), one.message()), (Code::Unknown, text));
    let request = StreamingOutputCallRequest { response_status: wanted, ..Default::default() };
    let two = match client.full_duplex_call(tokio_stream::iter([request])).await {
        Err(status) => status,
        Ok(response) => response.into_inner().message().await.expect_err("a status"),
    };
    assert_eq!((two.code(), two.message()), (Code::Unknown, text));
}

async fn custom_metadata(client: &mut Client) {
    let mut metadata = MetadataMap::new();
    metadata.insert(INITIAL, "test_initial_metadata_value".parse().expect("a value"));
    metadata.insert_bin(TRAILING, MetadataValue::from_bytes(&[0xab; 3]));
    // tonic merges a unary call's trailers into the metadata of its response.
    let one = large(client, Default::default(), metadata.clone()).await;
    let two = ping_pong(client, &[(1, 1)], metadata).await;
    for (initial, trailing) in [(one.metadata(), one.metadata()), (&two.0, &two.1)] {
        assert_eq!(initial.get(INITIAL).expect("initial metadata"), "test_initial_metadata_value");
        let value = trailing.get_bin(TRAILING).expect("trailing metadata").to_bytes().expect("base64");
        assert_eq!(value, &[0xab; 3][..]);
    }
}

const CASES: &str = "empty_unary cacheable_unary large_unary client_compressed_unary server_compressed_unary \
    client_streaming client_compressed_streaming server_streaming server_compressed_streaming ping_pong empty_stream \
    custom_metadata status_code_and_message special_status_message unimplemented_method unimplemented_service \
    cancel_after_begin cancel_after_first_response timeout_on_sleeping_server rpc_soak concurrent_large_unary";

async fn run(case: &str, channel: Channel) {
    let plain = TestServiceClient::new(channel.clone()).max_decoding_message_size(LIMIT);
    let mut client = plain.clone();
    let none = MetadataMap::new;
    match case {
        "empty_unary" => assert_eq!(client.empty_call(Empty {}).await.expect("a response").into_inner(), Empty {}),
        "cacheable_unary" => drop(client.cacheable_unary_call(SimpleRequest::default()).await.expect("a response")),
        "large_unary" => drop(large(&mut client, Default::default(), none()).await),
        "client_compressed_unary" => {
            let request = SimpleRequest { expect_compressed: gzip(true), ..Default::default() };
            let wrong = client.unary_call(request.clone()).await.expect_err("a refusal of a message as it is");
            assert_eq!(wrong.code(), Code::InvalidArgument);
            large(&mut client.send_compressed(Gzip), request, none()).await;
        }
        "server_compressed_unary" => {
            let request = SimpleRequest { response_compressed: gzip(true), ..Default::default() };
            let response = large(&mut client.accept_compressed(Gzip), request, none()).await;
            assert_eq!(response.metadata().get("grpc-encoding").expect("grpc-encoding"), "gzip");
        }
        "client_streaming" | "client_compressed_streaming" => {
            let compressed = case != "client_streaming";
            if compressed {
                client = client.send_compressed(Gzip);
            }
            let message = move |n| StreamingInputCallRequest {
                payload: payload(n),
                expect_compressed: gzip(compressed),
            };
            let messages = tokio_stream::iter([27182, 8, 1828, 45904].map(message));
            let response = client.streaming_input_call(messages).await.expect("a response");
            assert_eq!(response.into_inner().aggregated_payload_size, 74922);
        }
        "server_streaming" | "server_compressed_streaming" => {
            let mut request = asking(&[31415, 9, 2653, 58979]);
            if case == "server_compressed_streaming" {
                client = client.accept_compressed(Gzip);
                request.response_parameters[0].compressed = gzip(true);
            }
            let mut answers = client.streaming_output_call(request).await.expect("a response").into_inner();
            for n in [31415, 9, 2653, 58979] {
                assert_eq!(size_of(&answers.message().await.expect("an answer").expect("an answer")), n);
            }
            assert!(answers.message().await.expect("the end").is_none());
        }
        "ping_pong" => {
            drop(ping_pong(&mut client, &[(27182, 31415), (8, 9), (1828, 2653), (45904, 58979)], none()).await)
        }
        "empty_stream" => drop(ping_pong(&mut client, &[], none()).await),
        "custom_metadata" => custom_metadata(&mut client).await,
        "status_code_and_message" => status(&mut client, "test status message").await,
        "special_status_message" => {
            status(&mut client, "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1F608}\t\n").await
        }
        "unimplemented_method" => {
            assert_eq!(client.unimplemented_call(Empty {}).await.expect_err("a status").code(), Code::Unimplemented)
        }
        "unimplemented_service" => {
            let status = UnimplementedServiceClient::new(channel).unimplemented_call(Empty {}).await;
            assert_eq!(status.expect_err("a status").code(), Code::Unimplemented)
        }
        "cancel_after_begin" => {
            // Dropping a call cancels it; the connection must go on.
            let call = client.streaming_input_call(tokio_stream::pending());
            assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
            large(&mut plain.clone(), Default::default(), none()).await;
        }
        "cancel_after_first_response" => {
            let requests = tokio_stream::iter([asking(&[31415])]).chain(tokio_stream::pending());
            let mut answers = client.full_duplex_call(requests).await.expect("a response").into_inner();
            assert_eq!(size_of(&answers.message().await.expect("an answer").expect("an answer")), 31415);
            drop(answers);
            large(&mut plain.clone(), Default::default(), none()).await;
        }
        "timeout_on_sleeping_server" => {
            let mut message = asking(&[1]);
            message.response_parameters[0].interval_us = 1_000_000;
            let mut request = Request::new(tokio_stream::iter([message]));
            request.set_timeout(Duration::from_millis(1));
            let status = match client.full_duplex_call(request).await {
                Err(status) => status,
                Ok(response) => response.into_inner().message().await.expect_err("a deadline"),
            };
            // tonic's own timer says Cancelled.
            assert!([Code::DeadlineExceeded, Code::Cancelled].contains(&status.code()), "{status}");
        }
        "rpc_soak" => {
            for _ in 0..20 {
                large(&mut client, Default::default(), none()).await;
            }
        }
        "concurrent_large_unary" => {
            let one = |_| tokio::spawn({
                let mut client = plain.clone();
                async move { drop(large(&mut client, Default::default(), MetadataMap::new()).await) }
            });
            for call in (0..200).map(one).collect::<Vec<_>>() {
                call.await.expect("a call");
            }
        }
        _ => panic!("no such case: {case}"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: HashMap<String, String> = std::env::args()
        .filter_map(|a| a.strip_prefix("--").and_then(|a| a.split_once('=')).map(|(k, v)| (k.into(), v.into())))
        .collect();
    let value = |name: &str, other: &str| arguments.get(name).cloned().unwrap_or_else(|| other.into());
    if std::env::args().nth(1).as_deref() == Some("server") {
        return serve(&value("port", "0"), &value("cert", ""), &value("key", "")).await;
    }
    let case = value("test_case", "list");
    if case == "list" {
        return println!("{CASES}");
    }
    let ca = value("ca", "");
    let scheme = if ca.is_empty() { "http" } else { "https" };
    let address = format!("{scheme}://{}:{}", value("server_host", "127.0.0.1"), value("server_port", "0"));
    let mut endpoint = Channel::from_shared(address).expect("an address");
    if !ca.is_empty() {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&ca)));
        endpoint = endpoint.tls_config(config).expect("a certificate");
    }
    let channel = endpoint.connect().await.expect("a connection");
    run(&case, channel).await;
}
