//! The function behind the state 'Withdrawal from trading account'.

/// Serves invocations until the process is ended.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    trading::serve("Withdrawal").await
}
