/**
 * Stands in for protobufjs (wrangler.toml, alias), which @datadog/sketches-js loads only when a sketch is written as
 * protobuf. We write JSON (core/sketch.ts), so 8 KB of the bundle stay at home.
 */
export {};
