// Package secrets finds passwords, keys and tokens by the name and by the format of a value, and replaces them by marks. The rules, the same
// in every client, are in clients/README.md ("Secrets"). The time is linear in the length of the text.
package secrets
