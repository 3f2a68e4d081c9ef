/** Natural order of names: m2 before m10, 1.9 before 1.10. One collator, because creating it is slow. */
export const BY_NAME = new Intl.Collator("en", { numeric: true });
