//go:build go1.23 && !go1.27 && gc

// The compiler permits a function without a body, as in fatal_get.go, only in a package that has assembly.
