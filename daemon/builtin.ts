/**
 * Node's http and https, taken without `import`: that would read every export, and reading `http.WebSocket` loads a whole second
 * HTTP client (13 MB of the 100 that we may use).
 */
export const http = process.getBuiltinModule("node:http");
export const https = process.getBuiltinModule("node:https");
