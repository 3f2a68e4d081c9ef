CREATE TABLE `audit` (
	`hour` integer NOT NULL,
	`action` text NOT NULL,
	`who` text NOT NULL,
	`address` text NOT NULL,
	`subject` text NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`hour`, `action`, `who`, `address`, `subject`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `decisions` (
	`product` text NOT NULL,
	`fingerprint` text NOT NULL,
	`status` text NOT NULL,
	`resolved_at` integer,
	`resolved_version` text,
	`decided_at` integer NOT NULL,
	`decided_by` text NOT NULL,
	PRIMARY KEY(`product`, `fingerprint`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`sha256` text NOT NULL,
	`kind` text NOT NULL,
	`product` text,
	`label` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer,
	`continues_others` integer NOT NULL,
	`origins` text NOT NULL,
	`used_day` integer,
	`sessions_per_day` integer,
	`rows_per_day` integer,
	`requests_per_minute` integer,
	`attachment_mib_per_day` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `merges` (
	`product` text NOT NULL,
	`fingerprint` text NOT NULL,
	`merged_into` text NOT NULL,
	`merged_at` integer NOT NULL,
	`merged_by` text NOT NULL,
	PRIMARY KEY(`product`, `fingerprint`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `roster` (
	`id` text PRIMARY KEY NOT NULL,
	`product` text NOT NULL,
	`first_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sign_ins` (
	`id` text PRIMARY KEY NOT NULL,
	`address` text NOT NULL,
	`started_at` integer NOT NULL,
	`used_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `signing` (
	`id` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `source_maps` (
	`product` text NOT NULL,
	`version` text NOT NULL,
	`files` integer NOT NULL,
	`bytes` integer NOT NULL,
	`uploaded_at` integer NOT NULL,
	`checked_at` integer NOT NULL,
	`uploaded_by` text NOT NULL,
	PRIMARY KEY(`product`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `usage` (
	`day` integer NOT NULL,
	`key` text NOT NULL,
	`sessions` integer NOT NULL,
	`object_rows` integer NOT NULL,
	`d1_rows` integer NOT NULL,
	`attachment_bytes` integer NOT NULL,
	PRIMARY KEY(`day`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `views` (
	`name` text PRIMARY KEY NOT NULL,
	`query` text NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
