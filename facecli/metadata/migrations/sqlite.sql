CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
--
CREATE TABLE uploads (
	id VARCHAR(64) NOT NULL, 
	blob_key TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	name TEXT NOT NULL, 
	file_type VARCHAR(16) NOT NULL, 
	size BIGINT, 
	chunk_size INTEGER NOT NULL, 
	total_chunks INTEGER NOT NULL, 
	fingerprint BIGINT, 
	status VARCHAR(16) NOT NULL, 
	epoch INTEGER NOT NULL, 
	stored_bytes BIGINT NOT NULL, 
	stored_chunks INTEGER NOT NULL, 
	crc32c BIGINT, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	CONSTRAINT pk_uploads PRIMARY KEY (id), 
	CONSTRAINT ck_uploads_file_type CHECK (file_type IN ('image', 'video')), 
	CONSTRAINT ck_uploads_status CHECK (status IN ('incomplete', 'completed')), 
	CONSTRAINT ck_uploads_stored_chunks CHECK (stored_chunks BETWEEN 0 AND total_chunks), 
	CONSTRAINT ck_uploads_stored_bytes CHECK (stored_bytes >= 0 AND (size IS NULL OR stored_bytes <= size)), 
	CONSTRAINT ck_uploads_complete CHECK (status <> 'completed' OR (size = stored_bytes AND stored_chunks = total_chunks AND crc32c IS NOT NULL))
)
--
CREATE TABLE tasks (
	id VARCHAR(64) NOT NULL, 
	owner TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	progress INTEGER NOT NULL, 
	stage TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	worker TEXT NOT NULL, 
	engine TEXT NOT NULL, 
	options JSON NOT NULL, 
	image_id VARCHAR(64) NOT NULL, 
	video_id VARCHAR(64) NOT NULL, 
	image_url TEXT NOT NULL, 
	video_url TEXT NOT NULL, 
	"key" TEXT, 
	result_blob_key TEXT, 
	result_size BIGINT, 
	result_crc32c BIGINT, 
	error_reason TEXT NOT NULL, 
	error_message TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, frames_done INTEGER DEFAULT '0' NOT NULL, frames INTEGER DEFAULT '0' NOT NULL, crashes INTEGER DEFAULT '0' NOT NULL, engine_version TEXT DEFAULT '' NOT NULL, notes JSON DEFAULT '[]' NOT NULL, part_start BIGINT DEFAULT '0' NOT NULL, part_end BIGINT, figures JSON, sheet_blob_key TEXT, sheet_size BIGINT, sheet_crc32c BIGINT, labels JSON, terms JSON DEFAULT '{}' NOT NULL, priority INTEGER DEFAULT '0' NOT NULL, turn BIGINT DEFAULT '0' NOT NULL, origin_request_id TEXT DEFAULT '' NOT NULL, origin_traceparent TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_tasks PRIMARY KEY (id), 
	CONSTRAINT uq_tasks_owner_key UNIQUE (owner, "key"), 
	CONSTRAINT ck_tasks_status CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')), 
	CONSTRAINT ck_tasks_progress CHECK (progress BETWEEN 0 AND 100), 
	CONSTRAINT ck_tasks_result CHECK ((status = 'completed') = (result_blob_key IS NOT NULL AND result_size IS NOT NULL AND result_crc32c IS NOT NULL))
)
--
CREATE TABLE directories (
	id VARCHAR(64) NOT NULL, generation BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_directories PRIMARY KEY (id)
)
--
CREATE TABLE workers (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	data_dir_id TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	heartbeats BIGINT NOT NULL, engines JSON DEFAULT '[]' NOT NULL, version TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_workers PRIMARY KEY (id)
)
--
CREATE TABLE tokens (
	id VARCHAR(16) NOT NULL, 
	user TEXT NOT NULL, 
	admin BOOLEAN NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	created_at DOUBLE NOT NULL, 
	expires_at DOUBLE, 
	revoked_at DOUBLE, 
	CONSTRAINT pk_tokens PRIMARY KEY (id)
)
--
CREATE TABLE chunks (
	upload_id VARCHAR(64) NOT NULL, 
	"index" INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	crc32c BIGINT NOT NULL, 
	token TEXT NOT NULL, 
	CONSTRAINT pk_chunks PRIMARY KEY (upload_id, "index"), 
	CONSTRAINT ck_chunks_stored CHECK (size > 0 AND token <> ''), 
	CONSTRAINT fk_chunks_uploads FOREIGN KEY(upload_id) REFERENCES uploads (id) ON DELETE CASCADE
)
 WITHOUT ROWID


--
CREATE TABLE task_logs (
	task_id VARCHAR(64) NOT NULL, 
	position BIGINT NOT NULL, 
	round INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	time DOUBLE NOT NULL, 
	level VARCHAR(16) NOT NULL, 
	logger TEXT NOT NULL, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_task_logs PRIMARY KEY (task_id, position), 
	CONSTRAINT ck_task_logs_position CHECK (position > 0), 
	CONSTRAINT fk_task_logs_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
)
 WITHOUT ROWID


--
CREATE TABLE upload_tails (
	upload_id VARCHAR(64) NOT NULL, 
	"offset" BIGINT NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_upload_tails PRIMARY KEY (upload_id), 
	CONSTRAINT fk_upload_tails_uploads FOREIGN KEY(upload_id) REFERENCES uploads (id) ON DELETE CASCADE
)
--
CREATE TABLE provenance (
	position BIGINT NOT NULL, 
	task_id VARCHAR(64) NOT NULL, 
	time DOUBLE NOT NULL, 
	record TEXT NOT NULL, 
	previous VARCHAR(64) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_provenance PRIMARY KEY (position), 
	CONSTRAINT ck_provenance_position CHECK (position > 0)
)
--
CREATE TABLE webhooks (
	task_id VARCHAR(64) NOT NULL, 
	url TEXT NOT NULL, 
	round INTEGER DEFAULT '0' NOT NULL, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	next_attempt_at DOUBLE DEFAULT '0' NOT NULL, 
	last_error TEXT DEFAULT '' NOT NULL, final_attempts INTEGER DEFAULT '0' NOT NULL, final_error TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT pk_webhooks PRIMARY KEY (task_id), 
	CONSTRAINT fk_webhooks_tasks FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
)
--
CREATE TABLE secrets (
	name VARCHAR(64) NOT NULL, 
	value BLOB NOT NULL, 
	CONSTRAINT pk_secrets PRIMARY KEY (name)
)
--
CREATE TABLE usage_changes (
	id INTEGER NOT NULL, 
	owner TEXT NOT NULL, 
	stored BIGINT NOT NULL, 
	unfinished BIGINT NOT NULL, 
	waiting BIGINT NOT NULL, 
	CONSTRAINT pk_usage_changes PRIMARY KEY (id)
)
--
CREATE INDEX ix_uploads_listed ON uploads (owner, created_at, id)
--
CREATE INDEX ix_uploads_expired ON uploads (status, expires_at)
--
CREATE INDEX ix_tasks_listed ON tasks (owner, created_at, id)
--
CREATE INDEX ix_tasks_status ON tasks (status, created_at)
--
CREATE INDEX ix_uploads_used ON uploads (owner, status, size, total_chunks, chunk_size)
--
CREATE INDEX ix_tasks_used ON tasks (owner, status, result_size, sheet_size)
--
CREATE INDEX ix_provenance_task ON provenance (task_id, position)
--
CREATE INDEX ix_tasks_waiting ON tasks (status, owner, priority, created_at, id, engine)
--
CREATE INDEX ix_tasks_turns ON tasks (turn)
--
CREATE INDEX ix_tasks_served ON tasks (owner, turn) WHERE status <> 'pending'
--
CREATE INDEX ix_uploads_same ON uploads (owner, name, fingerprint, total_chunks, created_at, id)
--
CREATE INDEX ix_uploads_changed ON uploads (updated_at)
--
CREATE INDEX ix_tasks_of_status ON tasks (owner, status, created_at, id)
--
CREATE INDEX ix_tasks_of_engine ON tasks (owner, engine, created_at, id)
--
CREATE INDEX ix_tasks_of_result ON tasks (owner, result_crc32c, created_at, id)
--
CREATE INDEX ix_tasks_changed ON tasks (updated_at, id)
--
CREATE INDEX ix_tasks_counted ON tasks (status, engine, updated_at)
--
CREATE INDEX ix_webhooks_due ON webhooks (next_attempt_at)
--
CREATE INDEX ix_usage_changes_sum ON usage_changes (owner, stored, unfinished, waiting)
--
CREATE INDEX ix_tasks_of_image ON tasks (image_id) WHERE status IN ('pending', 'processing')
--
CREATE INDEX ix_tasks_of_video ON tasks (video_id) WHERE status IN ('pending', 'processing')
--
CREATE INDEX ix_tasks_naming ON tasks (owner, status) WHERE status IN ('pending', 'processing') AND CAST(options AS TEXT) LIKE '%/uploads/%'
--
CREATE TRIGGER usage_uploads_insert AFTER INSERT ON uploads FOR EACH ROW BEGIN INSERT INTO usage_changes (owner, stored, unfinished, waiting) SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM (SELECT NEW.owner AS owner, COALESCE(NEW.size, CAST(NEW.total_chunks AS BIGINT) * NEW.chunk_size) AS stored, CAST(CASE NEW.status WHEN 'incomplete' THEN 1 ELSE 0 END AS BIGINT) AS unfinished, CAST(0 AS BIGINT) AS waiting) AS used GROUP BY owner HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0; END
--
CREATE TRIGGER usage_uploads_delete AFTER DELETE ON uploads FOR EACH ROW BEGIN INSERT INTO usage_changes (owner, stored, unfinished, waiting) SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM (SELECT OLD.owner AS owner, -COALESCE(OLD.size, CAST(OLD.total_chunks AS BIGINT) * OLD.chunk_size) AS stored, -CAST(CASE OLD.status WHEN 'incomplete' THEN 1 ELSE 0 END AS BIGINT) AS unfinished, -CAST(0 AS BIGINT) AS waiting) AS used GROUP BY owner HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0; END
--
CREATE TRIGGER usage_uploads_update AFTER UPDATE OF owner, size, total_chunks, chunk_size, status ON uploads FOR EACH ROW WHEN OLD.owner IS NOT NEW.owner OR OLD.size IS NOT NEW.size OR OLD.total_chunks IS NOT NEW.total_chunks OR OLD.chunk_size IS NOT NEW.chunk_size OR OLD.status IS NOT NEW.status BEGIN INSERT INTO usage_changes (owner, stored, unfinished, waiting) SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM (SELECT OLD.owner AS owner, -COALESCE(OLD.size, CAST(OLD.total_chunks AS BIGINT) * OLD.chunk_size) AS stored, -CAST(CASE OLD.status WHEN 'incomplete' THEN 1 ELSE 0 END AS BIGINT) AS unfinished, -CAST(0 AS BIGINT) AS waiting UNION ALL SELECT NEW.owner AS owner, COALESCE(NEW.size, CAST(NEW.total_chunks AS BIGINT) * NEW.chunk_size) AS stored, CAST(CASE NEW.status WHEN 'incomplete' THEN 1 ELSE 0 END AS BIGINT) AS unfinished, CAST(0 AS BIGINT) AS waiting) AS used GROUP BY owner HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0; END
--
CREATE TRIGGER usage_tasks_insert AFTER INSERT ON tasks FOR EACH ROW BEGIN INSERT INTO usage_changes (owner, stored, unfinished, waiting) SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM (SELECT NEW.owner AS owner, COALESCE(NEW.result_size + COALESCE(NEW.sheet_size, 0), 0) AS stored, CAST(0 AS BIGINT) AS unfinished, CAST(CASE NEW.status WHEN 'pending' THEN 1 ELSE 0 END AS BIGINT) AS waiting) AS used GROUP BY owner HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0; END
--
CREATE TRIGGER usage_tasks_delete AFTER DELETE ON tasks FOR EACH ROW BEGIN INSERT INTO usage_changes (owner, stored, unfinished, waiting) SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM (SELECT OLD.owner AS owner, -COALESCE(OLD.result_size + COALESCE(OLD.sheet_size, 0), 0) AS stored, -CAST(0 AS BIGINT) AS unfinished, -CAST(CASE OLD.status WHEN 'pending' THEN 1 ELSE 0 END AS BIGINT) AS waiting) AS used GROUP BY owner HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0; END
--
CREATE TRIGGER usage_tasks_update AFTER UPDATE OF owner, result_size, sheet_size, status ON tasks FOR EACH ROW WHEN OLD.owner IS NOT NEW.owner OR OLD.result_size IS NOT NEW.result_size OR OLD.sheet_size IS NOT NEW.sheet_size OR OLD.status IS NOT NEW.status BEGIN INSERT INTO usage_changes (owner, stored, unfinished, waiting) SELECT owner, sum(stored), sum(unfinished), sum(waiting) FROM (SELECT OLD.owner AS owner, -COALESCE(OLD.result_size + COALESCE(OLD.sheet_size, 0), 0) AS stored, -CAST(0 AS BIGINT) AS unfinished, -CAST(CASE OLD.status WHEN 'pending' THEN 1 ELSE 0 END AS BIGINT) AS waiting UNION ALL SELECT NEW.owner AS owner, COALESCE(NEW.result_size + COALESCE(NEW.sheet_size, 0), 0) AS stored, CAST(0 AS BIGINT) AS unfinished, CAST(CASE NEW.status WHEN 'pending' THEN 1 ELSE 0 END AS BIGINT) AS waiting) AS used GROUP BY owner HAVING sum(stored) <> 0 OR sum(unfinished) <> 0 OR sum(waiting) <> 0; END
--
CREATE TRIGGER webhook_due AFTER UPDATE OF status ON tasks FOR EACH ROW WHEN OLD.status IN ('pending', 'processing') AND NEW.status NOT IN ('pending', 'processing') BEGIN UPDATE webhooks SET next_attempt_at = 0 WHERE task_id = NEW.id AND round < NEW.round; END
--
INSERT INTO alembic_version VALUES ('0028')
