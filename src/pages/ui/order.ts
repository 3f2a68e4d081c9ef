/** Names in the order that people expect: m2 before m10, 1.9 before 1.10. Kept, because making one takes long. */
export const BY_NAME = new Intl.Collator("en", { numeric: true });
