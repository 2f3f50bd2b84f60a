//! FolderService.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::folder_service_server::FolderService;
use tonic::{Request, Response, Status};
use types::text::display;
use types::{FolderId, Refusal};

use crate::api::convert::{missing, order_id, request_id, required};
use crate::domain::folders::{Folder, FolderWish};
use crate::ops::Orders;
use crate::ops::use_cases::{DeleteFolder, MoveOrder, UpsertFolder};
use crate::wire::order_folder;

/// The longest name of a folder or a rule.
pub const NAME_LENGTH_MAX: usize = 64;

pub struct FolderApi {
    orders: Orders,
}

impl FolderApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }

    async fn upsert(
        &self,
        request: Request<wire::UpsertFolderRequest>,
    ) -> Result<wire::UpsertFolderResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let request_id = request_id(&request.request_id)?;
        let given = request.folder.ok_or_else(|| missing("folder", "there is no folder to keep"))?;
        let wish = FolderWish {
            folder_id: folder_id("folder.folder_id", &given.folder_id)?,
            name: required("folder.name", NAME_LENGTH_MAX, &given.name)?,
            position: i64::from(given.position),
        };
        let folder = self.orders.ask(&caller, request_id, UpsertFolder(wish)).await?;
        Ok(wire::UpsertFolderResponse { folder: Some(shown(&folder, 0)) })
    }

    async fn list(
        &self,
        request: Request<wire::ListFoldersRequest>,
    ) -> Result<wire::ListFoldersResponse, Failure> {
        let caller = Principal::of(&request)?;
        let folders = self.orders.folders(caller).await?;
        Ok(wire::ListFoldersResponse {
            folders: folders.iter().map(|(folder, count)| shown(folder, *count)).collect(),
        })
    }

    async fn delete(
        &self,
        request: Request<wire::DeleteFolderRequest>,
    ) -> Result<wire::DeleteFolderResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let request_id = request_id(&request.request_id)?;
        let folder_id = folder_id("folder_id", &request.folder_id)?;
        let folder_id = folder_id.ok_or_else(|| missing("folder_id", "there is no folder to take away"))?;
        let folder = self.orders.ask(&caller, request_id, DeleteFolder { folder_id }).await?;
        Ok(wire::DeleteFolderResponse { folder: Some(shown(&folder, 0)) })
    }

    async fn r#move(
        &self,
        request: Request<wire::MoveOrderRequest>,
    ) -> Result<wire::MoveOrderResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let request_id = request_id(&request.request_id)?;
        let order_id = order_id("order_id", &request.order_id)?;
        let folder_id = folder_id("folder_id", &request.folder_id)?;
        let move_order = MoveOrder { order_id, folder_id, depth: 0 };
        let moved = self.orders.ask(&caller, request_id, move_order).await?;
        let order_folder = order_folder(&moved.placed, moved.folder.as_ref());
        Ok(wire::MoveOrderResponse { order_folder: Some(order_folder) })
    }
}

#[tonic::async_trait]
impl FolderService for FolderApi {
    async fn upsert_folder(
        &self,
        request: Request<wire::UpsertFolderRequest>,
    ) -> Result<Response<wire::UpsertFolderResponse>, Status> {
        Ok(Response::new(self.upsert(request).await?))
    }

    async fn list_folders(
        &self,
        request: Request<wire::ListFoldersRequest>,
    ) -> Result<Response<wire::ListFoldersResponse>, Status> {
        Ok(Response::new(self.list(request).await?))
    }

    async fn delete_folder(
        &self,
        request: Request<wire::DeleteFolderRequest>,
    ) -> Result<Response<wire::DeleteFolderResponse>, Status> {
        Ok(Response::new(self.delete(request).await?))
    }

    async fn move_order(
        &self,
        request: Request<wire::MoveOrderRequest>,
    ) -> Result<Response<wire::MoveOrderResponse>, Status> {
        Ok(Response::new(self.r#move(request).await?))
    }
}

/// A folder that may be left out.
pub fn folder_id(field: &str, given: &str) -> Result<Option<FolderId>, Refusal> {
    if given.is_empty() {
        return Ok(None);
    }
    FolderId::parse(given).map(Some).map_err(|error| Refusal::from(error).field(field))
}

fn shown(folder: &Folder, order_count: i64) -> wire::Folder {
    wire::Folder {
        folder_id: folder.folder_id.to_string(),
        name: display(&folder.name),
        position: i32::try_from(folder.position).expect("a position came in as 32 bits"),
        order_count,
    }
}
