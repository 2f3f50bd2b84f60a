//! What people keep beside orders, decided in the same commit as orders are.

mod conversation;
mod folders;

use storage::Table;

use crate::ops::books::Books;
use crate::ops::command::{Answer, Asked, DeskWish, Done};

pub fn decide(books: &mut Books, asked: &Asked, wish: &DeskWish) -> Done {
    let (answer, resource) = match wish {
        DeskWish::AddNote(new) => conversation::add(books, asked, new)?,
        DeskWish::UpsertFolder(wish) => folders::upsert(books, asked, wish)?,
        DeskWish::DeleteFolder(folder_id) => folders::delete(books, asked, folder_id)?,
        DeskWish::MoveOrder { order_id, folder_id, depth } => {
            folders::move_order(books, asked, order_id, folder_id.as_ref(), *depth)?
        }
    };
    Ok((Answer::Desk(Box::new(answer)), resource))
}

/// Puts a row into a table, whether it is there or not.
fn put<K: Ord + Clone, V: Clone + PartialEq>(table: &mut Table<K, V>, key: K, value: V) {
    if table.contains(&key) {
        table.update(&key, |row| *row = value).expect("the row was just found");
    } else {
        table.insert(key, value);
    }
}
