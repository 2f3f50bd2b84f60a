//! The books on their way into parts: a file for each, written while the services are read and read back one at a time.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use anyhow::{Context, Result};
use prost::Message;
use proto::audit::v1::{BookRow, GatewayEffect};

use super::books::Books;
use crate::clients::Service;

/// The number that stands for what a gateway recorded, instead of a book's.
const EFFECT: u16 = u16::MAX;

/// A book's service, name and columns.
type Title = (Service, String, Vec<String>);

pub struct Spool {
    files: Vec<BufWriter<File>>,
    titles: Vec<Title>,
    numbers: HashMap<(Service, String), u16>,
}

impl Spool {
    /// Files without names: they go with the process.
    pub fn new(parts: usize) -> Result<Self> {
        let file = |_| -> Result<BufWriter<File>> {
            let file = tempfile::tempfile().context("making a file for a part of the books")?;
            Ok(BufWriter::new(file))
        };
        let files = (0..parts).map(file).collect::<Result<_>>()?;
        Ok(Self { files, titles: Vec::new(), numbers: HashMap::new() })
    }

    /// The number of a book, whose columns are the same in every row.
    pub fn book(&mut self, service: Service, name: &str, columns: &[String]) -> u16 {
        let key = (service, name.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = u16::try_from(self.titles.len()).expect("there are some dozens of books");
        self.titles.push((service, name.to_owned(), columns.to_vec()));
        self.numbers.insert(key, number);
        number
    }

    pub fn put(&mut self, part: usize, book: u16, row: &BookRow) -> Result<()> {
        self.write(part, book, &row.encode_to_vec())
    }

    pub fn put_effect(&mut self, part: usize, effect: &GatewayEffect) -> Result<()> {
        self.write(part, EFFECT, &effect.encode_to_vec())
    }

    fn write(&mut self, part: usize, book: u16, bytes: &[u8]) -> Result<()> {
        let length = u32::try_from(bytes.len()).context("a row of more than 4 GiB")?;
        let file = &mut self.files[part];
        file.write_all(&book.to_le_bytes())?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(bytes).context("writing a part of the books; is there room for temporary files?")
    }

    /// The books of one part.
    pub fn read(&mut self, part: usize) -> Result<Books> {
        let file = &mut self.files[part];
        file.flush().context("writing a part of the books")?;
        let file = file.get_mut();
        file.seek(SeekFrom::Start(0))?;
        let mut file = BufReader::new(file);
        let mut books = Books::default();
        let (mut number, mut length) = ([0; 2], [0; 4]);
        while read_or_end(&mut file, &mut number)? {
            file.read_exact(&mut length)?;
            let mut bytes = vec![0; usize::try_from(u32::from_le_bytes(length))?];
            file.read_exact(&mut bytes)?;
            match u16::from_le_bytes(number) {
                EFFECT => books.gateways.effects.push(GatewayEffect::decode(bytes.as_slice())?),
                book => {
                    let (service, name, columns) = &self.titles[usize::from(book)];
                    books.add(*service, name, columns, BookRow::decode(bytes.as_slice())?);
                }
            }
        }
        Ok(books)
    }
}

/// False at the end of the file.
fn read_or_end(file: &mut impl Read, bytes: &mut [u8; 2]) -> Result<bool> {
    let read = file.read(&mut bytes[..1])?;
    if read == 0 {
        return Ok(false);
    }
    file.read_exact(&mut bytes[1..])?;
    Ok(true)
}
