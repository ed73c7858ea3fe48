fn main() -> std::io::Result<()> {
    let folder = std::env::var("MOTE_INTEROP").expect("MOTE_INTEROP: the folder of interop.proto");
    tonic_prost_build::configure().compile_protos(&[format!("{folder}/interop.proto")], &[folder])
}
