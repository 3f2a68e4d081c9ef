CREATE TABLE `event_counts` (
	`session_id` text NOT NULL,
	`name` text NOT NULL,
	`category` text NOT NULL,
	`count` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	PRIMARY KEY(`session_id`, `name`, `category`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `event_counts_by_name` ON `event_counts` (`name`,`session_id`);--> statement-breakpoint
CREATE TABLE `exception_days` (
	`product` text NOT NULL,
	`fingerprint` text NOT NULL,
	`day` integer NOT NULL,
	`version` text NOT NULL,
	`sessions` integer NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`product`, `fingerprint`, `day`, `version`)
) WITHOUT ROWID;
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
	PRIMARY KEY(`product`, `fingerprint`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `exceptions` (
	`session_id` text NOT NULL,
	`fingerprint` text NOT NULL,
	`product` text NOT NULL,
	`version` text NOT NULL,
	`type` text NOT NULL,
	`message` text NOT NULL,
	`place` text NOT NULL,
	`search` text NOT NULL,
	`count` integer NOT NULL,
	`unhandled` integer NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`first_seq` integer NOT NULL,
	PRIMARY KEY(`session_id`, `fingerprint`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `exceptions_by_fingerprint` ON `exceptions` (`fingerprint`,`session_id`);--> statement-breakpoint
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
CREATE TABLE `metrics` (
	`session_id` text NOT NULL,
	`name` text NOT NULL,
	`series` integer NOT NULL,
	`type` text NOT NULL,
	`unit` text NOT NULL,
	`tags` text NOT NULL,
	`points` integer NOT NULL,
	`count` real NOT NULL,
	`sum` real NOT NULL,
	`sum_low` real NOT NULL,
	`sum_scale` real NOT NULL,
	`deviation` real,
	`increase` real NOT NULL,
	`p50` real,
	`p95` real,
	`p99` real,
	`min` real NOT NULL,
	`max` real NOT NULL,
	`first` real NOT NULL,
	`last` real NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	`distribution` text,
	`rollup` text,
	`quantile_steps` text,
	PRIMARY KEY(`session_id`, `name`, `series`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `metrics_by_name` ON `metrics` (`name`,`session_id`);--> statement-breakpoint
CREATE TABLE `rebuild` (
	`id` integer PRIMARY KEY NOT NULL,
	`cursor` text NOT NULL,
	`done` integer NOT NULL,
	`failed` integer NOT NULL,
	`total` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sessions` (
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
	`left_out` integer NOT NULL,
	`search` text NOT NULL,
	`verdict` text NOT NULL,
	PRIMARY KEY(`created_at`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_by_id` ON `sessions` (`id`);--> statement-breakpoint
CREATE INDEX `sessions_by_product` ON `sessions` (`product`,`version`,`created_at`);--> statement-breakpoint
CREATE INDEX `sessions_open` ON `sessions` (`machine_id`,`created_at`) WHERE is_open = 1;--> statement-breakpoint
CREATE INDEX `sessions_crashed` ON `sessions` (`created_at`) WHERE status = 'crashed';--> statement-breakpoint
CREATE INDEX `sessions_failed` ON `sessions` (`created_at`) WHERE failed = 1;--> statement-breakpoint
CREATE INDEX `sessions_left_out` ON `sessions` (`created_at`) WHERE left_out <> 0;--> statement-breakpoint
CREATE INDEX `sessions_damaged` ON `sessions` (`created_at`) WHERE damaged <> 0;--> statement-breakpoint
CREATE INDEX `sessions_hung` ON `sessions` (`created_at`) WHERE ever_hung = 1;--> statement-breakpoint
CREATE TABLE `state_values` (
	`session_id` text NOT NULL,
	`path` text NOT NULL,
	`value` text NOT NULL,
	`first_at` integer NOT NULL,
	`last_at` integer,
	PRIMARY KEY(`session_id`, `path`, `value`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `state_values_by_value` ON `state_values` (`path`,`value`,`session_id`);--> statement-breakpoint
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
	`day` integer NOT NULL,
	`product` text NOT NULL,
	`version` text NOT NULL,
	`sessions` integer NOT NULL,
	`crashed` integer NOT NULL,
	`failed` integer NOT NULL,
	`ever_hung` integer NOT NULL,
	PRIMARY KEY(`day`, `product`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `versions` (
	`product` text NOT NULL,
	`version` text NOT NULL,
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
	PRIMARY KEY(`product`, `version`)
) WITHOUT ROWID;
