use storage::testing;

#[tokio::test]
async fn a_service_has_one_secret_whoever_asks_and_no_other_service_has_it() {
    let mut secrets = Vec::new();
    for name in ["sealing_one", "sealing_other"] {
        for database in testing::databases(name).await {
            database.migrate("shop", &[storage::SEALING_KEY]).await.unwrap();

            let (one, other) = tokio::join!(database.sealing_key(), database.sealing_key());
            let later = database.sealing_key().await.unwrap();

            assert_eq!([one.unwrap(), other.unwrap()], [later; 2]);
            secrets.push(later);
        }
    }
    let distinct: std::collections::BTreeSet<_> = secrets.iter().collect();
    assert_eq!(distinct.len(), secrets.len());
}
