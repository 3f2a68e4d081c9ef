CREATE TABLE `usage` (
	`day` integer PRIMARY KEY NOT NULL,
	`object_rows` integer NOT NULL,
	`catalog_rows` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `versions` ADD `bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `versions` SET `bytes` = coalesce((
	SELECT sum(`sessions`.`bytes`) FROM `sessions`
	WHERE `sessions`.`product` = `versions`.`product` AND `sessions`.`version` = `versions`.`version` AND `is_open` = 0
), 0);
