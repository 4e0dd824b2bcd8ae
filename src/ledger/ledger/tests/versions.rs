//! A ledger of the version before this one, on each database.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_ledger_of_the_version_before_gets_titles_and_questions() {
    for bench in Bench::all().await {
        let before = bench.ledger();
        let id = started(&before, intent("k")).await;
        before.finish(id, done()).await.unwrap();
        drop(before);
        let back = "ALTER TABLE charge DROP COLUMN title; DROP TABLE question;";
        match &bench.url {
            None => {
                let file = bench.folder.path().join("ledger.sqlite");
                let sqlite = rusqlite::Connection::open(file).unwrap();
                sqlite.execute_batch(back).unwrap();
                sqlite.pragma_update(None, "user_version", 2).unwrap();
            }
            Some(url) => {
                let version = "UPDATE ledger_version SET version = 2";
                let postgres = connect(url).await;
                let back = format!("{back} {version}");
                postgres.batch_execute(&back).await.unwrap();
            }
        }
        let ledger = bench.ledger();
        let (subject, id) = ("subject".to_owned(), "id".to_owned());
        let ttl = Duration::from_secs(60);
        let asked = ledger.ask(subject, id, "what".to_owned(), ttl, None);
        assert_eq!(asked.await.unwrap().unwrap().answer, None);
        assert!(ledger.answer_question("id", true).await.unwrap());
        assert!(!ledger.answer_question("id", false).await.unwrap());
        let question = ledger.find_question("subject").await.unwrap().unwrap();
        assert_eq!(question.answer, Some(true));
        let mut titled = intent("l");
        titled.title = Some("“Harbour Lights”".to_owned());
        started(&ledger, titled).await;
        let found: Vec<_> = ledger.list(2).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|entry| entry.title).collect();
        assert_eq!(found, [Some("“Harbour Lights”".to_owned()), None]);
    }
}
