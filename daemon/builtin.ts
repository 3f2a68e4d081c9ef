/**
 * Node's http and https without `import`, which would read every export: reading `http.WebSocket` loads a second HTTP client (13 MB of
 * the 100 that the daemon may use).
 */
export const http = process.getBuiltinModule("node:http");
export const https = process.getBuiltinModule("node:https");
