CREATE TABLE `details` (
	`key` integer PRIMARY KEY NOT NULL,
	`events` blob,
	`exceptions` blob,
	`state` blob,
	`figures` blob,
	`attachments` blob,
	`tests` blob,
	`texts` blob,
	`searched` text NOT NULL,
	`rollups` blob
);
--> statement-breakpoint
CREATE TABLE `exception_groups` (
	`product` text NOT NULL,
	`fingerprint` text NOT NULL,
	`type` text NOT NULL,
	`message` text NOT NULL,
	`place` text NOT NULL,
	`search` text NOT NULL,
	`sessions` integer NOT NULL,
	`count` integer NOT NULL,
	`unhandled` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`session_id` text NOT NULL,
	`session_at` integer NOT NULL,
	`session_seq` integer NOT NULL,
	`days` text NOT NULL,
	PRIMARY KEY(`product`, `fingerprint`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `failed_tests` (
	`product` text NOT NULL,
	`test` text NOT NULL,
	`created_at` integer NOT NULL,
	`session_id` text NOT NULL,
	`version` text NOT NULL,
	`branch` text NOT NULL,
	`commit_id` text NOT NULL,
	`id` text NOT NULL,
	`file` integer NOT NULL,
	`result` text NOT NULL,
	`attempts` integer NOT NULL,
	`duration_ms` real,
	`text` text NOT NULL,
	`at` integer NOT NULL,
	`seq` integer NOT NULL,
	PRIMARY KEY(`product`, `test`, `created_at`, `session_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `more_rollups` (
	`key` integer NOT NULL,
	`part` integer NOT NULL,
	`rollups` blob NOT NULL,
	PRIMARY KEY(`key`, `part`)
);
--> statement-breakpoint
CREATE TABLE `names` (
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`product` text NOT NULL,
	`type` text NOT NULL,
	`unit` text NOT NULL,
	PRIMARY KEY(`kind`, `name`, `product`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `rebuild` (
	`id` integer PRIMARY KEY NOT NULL,
	`cursor` text NOT NULL,
	`done` integer NOT NULL,
	`failed` integer NOT NULL,
	`total` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sessions` (
	`key` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`created_at` integer NOT NULL,
	`product` text NOT NULL,
	`version` text NOT NULL,
	`status` text NOT NULL,
	`is_open` integer NOT NULL,
	`failed` integer NOT NULL,
	`ever_hung` integer NOT NULL,
	`recovered` integer NOT NULL,
	`machine_id` text NOT NULL,
	`boot_id` text NOT NULL,
	`hostname` text NOT NULL,
	`browser` text NOT NULL,
	`os` text NOT NULL,
	`language` text NOT NULL,
	`updated_at` integer NOT NULL,
	`received_at` integer NOT NULL,
	`status_since` integer NOT NULL,
	`ended_at` integer,
	`last_heartbeat_at` integer,
	`states` integer NOT NULL,
	`events` integer NOT NULL,
	`exceptions` integer NOT NULL,
	`points` integer NOT NULL,
	`series` integer NOT NULL,
	`attachments` integer NOT NULL,
	`exit_code` integer,
	`signal` text,
	`uncaught` integer NOT NULL,
	`tests` integer NOT NULL,
	`failed_tests` integer NOT NULL,
	`revision` integer NOT NULL,
	`bytes` integer NOT NULL,
	`headline` text NOT NULL,
	`tags` text NOT NULL,
	`damaged` integer NOT NULL,
	`test_parts` integer NOT NULL,
	`test_mark` text NOT NULL,
	`writes` integer NOT NULL,
	`posting_mark` text NOT NULL,
	`details_mark` text NOT NULL,
	`left_out` integer NOT NULL,
	`search` text NOT NULL,
	`verdict` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `sessions_left_out` ON `sessions` (`key`) WHERE left_out <> 0;--> statement-breakpoint
CREATE INDEX `sessions_damaged` ON `sessions` (`key`) WHERE damaged <> 0;--> statement-breakpoint
CREATE TABLE `swept` (
	`id` integer PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`product` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `test_parts` (
	`product` text NOT NULL,
	`parts` integer NOT NULL,
	`part` integer NOT NULL,
	`created_at` integer NOT NULL,
	`session_id` text NOT NULL,
	`version` text NOT NULL,
	`branch` text NOT NULL,
	`commit_id` text NOT NULL,
	`run` text NOT NULL,
	`failed` text NOT NULL,
	`packed` text NOT NULL,
	PRIMARY KEY(`product`, `parts`, `part`, `created_at`, `session_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `version_days` (
	`product` text NOT NULL,
	`version` text NOT NULL,
	`day` integer NOT NULL,
	`sessions` integer NOT NULL,
	`active` integer NOT NULL,
	`suspended` integer NOT NULL,
	`hung` integer NOT NULL,
	`crashed` integer NOT NULL,
	`ended` integer NOT NULL,
	`failed` integer NOT NULL,
	`ever_hung` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`bytes` integer NOT NULL,
	`test_runs` integer NOT NULL,
	`failed_runs` integer NOT NULL,
	PRIMARY KEY(`product`, `version`, `day`)
) WITHOUT ROWID;--> statement-breakpoint
CREATE VIRTUAL TABLE `postings` USING fts5(tokens, content='', contentless_delete=1, detail=none, tokenize='ascii');--> statement-breakpoint
INSERT INTO `postings` (`postings`, `rank`) VALUES ('deletemerge', 60);--> statement-breakpoint
INSERT INTO `postings` (`postings`, `rank`) VALUES ('automerge', 8);
