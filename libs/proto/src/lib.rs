//! The wire: messages, clients and servers generated from `proto/countermand`, and their descriptors.
//!
//! It never holds a conversion, a default or a rule: each service translates these messages to its
//! own values in its `api` modules, so that a change of the wire stays at the edge.

/// Values shared by the services, and the published list of reasons.
pub mod common {
    pub mod v1 {
        tonic::include_proto!("countermand.common.v1");
    }
}

/// Orders, change orders, and the operator's view of them.
pub mod order {
    pub mod v1 {
        tonic::include_proto!("countermand.order.v1");
    }
}

/// Stock, fulfilment, labels, and the goods steps of sagas.
pub mod inventory {
    pub mod v1 {
        tonic::include_proto!("countermand.inventory.v1");
    }
}

/// Payments, refunds, and the money steps of sagas.
pub mod payment {
    pub mod v1 {
        tonic::include_proto!("countermand.payment.v1");
    }
}

/// Messages to people and other systems.
pub mod notification {
    pub mod v1 {
        tonic::include_proto!("countermand.notification.v1");
    }
}

/// Events between the services.
pub mod events {
    pub mod v1 {
        tonic::include_proto!("countermand.events.v1");
    }
}

/// The books of every service, for verification.
pub mod audit {
    pub mod v1 {
        tonic::include_proto!("countermand.audit.v1");
    }
}

/// All files above and what they import, with comments, as an encoded `FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("countermand");

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::FILE_DESCRIPTOR_SET;

    #[test]
    fn descriptors_name_every_service_and_keep_their_comments() {
        let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let ours: Vec<_> =
            set.file.iter().filter(|file| file.package().starts_with("countermand.")).collect();

        for package in ["common", "order", "inventory", "payment", "notification", "events", "audit"] {
            let package = format!("countermand.{package}.v1");
            assert!(ours.iter().any(|file| file.package() == package), "{package} is not described");
        }
        for file in ours {
            let comments = file.source_code_info.iter().flat_map(|info| &info.location);
            assert!(
                comments
                    .map(prost_types::source_code_info::Location::leading_comments)
                    .any(|text| !text.is_empty()),
                "{} has lost its comments",
                file.name()
            );
        }
    }

    #[test]
    fn every_import_is_described_too() {
        let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let names: Vec<_> = set.file.iter().map(prost_types::FileDescriptorProto::name).collect();

        for import in set.file.iter().flat_map(|file| &file.dependency) {
            assert!(names.contains(&import.as_str()), "{import} is missing");
        }
    }
}
