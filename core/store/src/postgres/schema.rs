//! The database's side: two tables and one function.

/// The longest key: a B-tree of PostgreSQL holds no entry of more than a third of its 8-KiB page.
pub(super) const KEY_BYTES_MAX: usize = 2_600;

/// What every session of ours sets: the planner may know nothing yet of tables that will be large, and every query of
/// ours is a walk along the primary key. A server that does not sync at commit is made to, for our sessions.
pub(super) const SESSION: &str = "
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;
SET jit = off; SET client_min_messages = error;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Makes what is not there. `buswork_store` says how far the store is: its format, its last batch and version, and
/// which checks of that batch failed, so that a writer whose connection broke can read the verdicts that it missed.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS buswork_rows (k bytea PRIMARY KEY, ver bigint NOT NULL, v bytea NOT NULL);
CREATE TABLE IF NOT EXISTS buswork_store (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    format integer NOT NULL, batch bigint NOT NULL, ver bigint NOT NULL, failed integer[] NOT NULL);
INSERT INTO buswork_store (format, batch, ver, failed)
    SELECT 1, 0, 0, '{}' WHERE NOT EXISTS (SELECT FROM buswork_rows) ON CONFLICT DO NOTHING";

/// Commits a batch of transactions, numbered from 1, with one verdict each: `failed` lists the checks that did not
/// hold, by their place in the arrays from 1 on; a transaction of which none is listed is committed as version
/// `base` + its number. In a batch, no transaction names a key that an earlier one writes.
///
/// The lock on the one row of `buswork_store` orders batches, so versions rise in the order of commits, and since it is
/// held until the commit is on disk, no lock on keys is needed beside it.
pub(super) const FUNCTION: &str = "
CREATE OR REPLACE FUNCTION buswork_commit(
    this_batch bigint, transactions integer,
    check_tx integer[], check_k bytea[], check_ver bigint[],
    put_tx integer[], put_k bytea[], put_v bytea[],
    delete_tx integer[], delete_k bytea[],
    append_tx integer[], append_i integer[], append_p bytea[], append_v bytea[],
    OUT base bigint, OUT failed integer[])
LANGUAGE plpgsql AS $$
DECLARE
    last_batch bigint;
    refused integer[];
BEGIN
    SELECT s.ver, s.batch INTO STRICT base, last_batch FROM buswork_store s FOR UPDATE;
    IF last_batch <> this_batch - 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'BW001',
            MESSAGE = format('batch %s is written already: another process took the store over', last_batch);
    END IF;
    SELECT coalesce(array_agg(c.place::integer ORDER BY c.place), '{}'), coalesce(array_agg(DISTINCT c.tx), '{}')
        INTO failed, refused
        FROM unnest(check_tx, check_k, check_ver) WITH ORDINALITY AS c(tx, k, ver, place)
        LEFT JOIN buswork_rows r ON r.k = c.k
        WHERE coalesce(r.ver, 0) <> c.ver;
    DELETE FROM buswork_rows r USING unnest(delete_tx, delete_k) AS d(tx, k)
        WHERE r.k = d.k AND d.tx <> ALL (refused);
    INSERT INTO buswork_rows AS r
        SELECT p.k, base + p.tx, p.v FROM unnest(put_tx, put_k, put_v) AS p(tx, k, v) WHERE p.tx <> ALL (refused)
        UNION ALL
        SELECT a.p || int8send(base + a.tx) || substring(int4send(a.i) from 3), base + a.tx, a.v
            FROM unnest(append_tx, append_i, append_p, append_v) AS a(tx, i, p, v) WHERE a.tx <> ALL (refused)
        ON CONFLICT (k) DO UPDATE SET ver = excluded.ver, v = excluded.v;
    UPDATE buswork_store s SET batch = this_batch, ver = base + transactions, failed = buswork_commit.failed;
END $$";

pub(super) const COMMIT: &str =
    "SELECT base, failed FROM buswork_commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

pub(super) const STATE: &str = "SELECT format, batch, ver, failed FROM buswork_store";

/// Opens a snapshot: all that follows on the connection sees the state of the first query.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
pub(super) const VERSION: &str = "SELECT ver FROM buswork_store";
pub(super) const END: &str = "ROLLBACK";
pub(super) const GET: &str = "SELECT ver, v FROM buswork_rows WHERE k = $1";
pub(super) const FORWARD: &str =
    "SELECT k, ver, v FROM buswork_rows WHERE k >= $1 AND k < $2 ORDER BY k LIMIT $3";
pub(super) const BACKWARD: &str =
    "SELECT k, ver, v FROM buswork_rows WHERE k >= $1 AND k < $2 ORDER BY k DESC LIMIT $3";

/// One writer a schema: the lock ends with its session. A session that was killed a moment ago may still hold it.
pub(super) const LOCK: &str = "
SET lock_timeout = '3s';
SELECT pg_advisory_lock(hashtext('buswork'), hashtext(current_schema()));
RESET lock_timeout";

/// Who holds the lock.
pub(super) const HOLDER: &str = "
SELECT format('%s (server process %s, from %s)', coalesce(nullif(a.application_name, ''), 'a session without a name'),
              a.pid, coalesce(host(a.client_addr), 'this machine'))
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = hashtext('buswork')::bigint & 4294967295
  AND l.objid::bigint = hashtext(current_schema())::bigint & 4294967295";
