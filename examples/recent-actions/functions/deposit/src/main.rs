//! The function behind the state 'Deposit to trading account'.

/// Serves invocations until the process is ended.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    trading::serve("Deposit").await
}
