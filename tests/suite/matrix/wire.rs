//! A call of any RPC, with a body that is there already.

use std::time::Duration;

use anyhow::Result;
use http::uri::PathAndQuery;
use prost::bytes::{Buf as _, BufMut as _};
use tests::Clients;
use tests::shop::detail;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status};

use super::contracts::Method;
use super::requests::Subject;

/// A stream that was let in may say nothing for long.
const FIRST_WORD: Duration = Duration::from_millis(50);

/// What came of a call, as far as the matrix goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The role does not hold what the RPC needs.
    Refused,
    /// There is no such thing, or the list does not have it.
    Absent,
    /// It was let in, whatever was said then.
    Served,
    /// Something that no caller should hear.
    Broken(String),
}

/// Messages as they are.
#[derive(Debug, Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = source.remaining();
        Ok(Some(source.copy_to_bytes(length).to_vec()))
    }
}

pub async fn ask(clients: &Clients, method: &Method, body: Vec<u8>, subject: &Subject) -> Answered {
    match answer(clients, method, body).await {
        Ok(message) if method.lists() && !subject.is_in(&message) => Answered::Absent,
        Ok(_) => Answered::Served,
        Err(status) => read(&status, method),
    }
}

pub async fn answer(clients: &Clients, method: &Method, body: Vec<u8>) -> Result<Vec<u8>, Status> {
    let mut grpc = Grpc::new(clients.connection(method.service));
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path: PathAndQuery = method.path.parse().map_err(|_| Status::internal("not a path"))?;
    let mut stream = grpc.server_streaming(Request::new(body), path, Plain).await?.into_inner();
    if method.streams {
        return match tokio::time::timeout(FIRST_WORD, stream.message()).await {
            Ok(message) => Ok(message?.unwrap_or_default()),
            Err(_) => Ok(Vec::new()),
        };
    }
    Ok(stream.message().await?.unwrap_or_default())
}

fn read(status: &Status, method: &Method) -> Answered {
    match status.code() {
        Code::PermissionDenied if detail(status, "permission") == method.permission => Answered::Refused,
        Code::NotFound => Answered::Absent,
        // A policy's no, or what lacks in the request or in the state of things.
        Code::PermissionDenied
        | Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::AlreadyExists
        | Code::OutOfRange => Answered::Served,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => Answered::Broken(format!("{status:?}")),
    }
}
