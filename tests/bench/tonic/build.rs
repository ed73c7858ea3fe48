fn main() -> std::io::Result<()> {
    let folders = std::env::var("MOTE_PROTOS").expect("MOTE_PROTOS: the folders of benchmark.proto and interop.proto");
    let folders: Vec<String> = folders.split(':').map(String::from).collect();
    tonic_prost_build::configure().compile_protos(&[format!("{}/benchmark.proto", folders[0])], &folders)
}
