//! Generates the Rust code and the descriptor set from every `.proto` under `proto/countermand`.
//!
//! The compiler is written in Rust, so building needs no `protoc`; nothing generated is in git.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    // Cargo looks at a directory's files recursively, so a new file is seen as well as a changed one.
    println!("cargo::rerun-if-changed={}", root.display());

    let mut files = Vec::new();
    collect(&root.join("countermand"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;

    let descriptor_set = PathBuf::from(env::var("OUT_DIR")?).join("countermand.bin");
    fs::write(descriptor_set, compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure()
        // Ordered maps encode one message to the same bytes every time, which stored payloads rely on.
        .btree_map(".")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
