package datacat

import "context"

type contextKey struct{}

// NewContext carries a session down a call tree.
func NewContext(ctx context.Context, session *Session) context.Context {
	if ctx == nil {
		ctx = context.Background()
	}
	return context.WithValue(ctx, contextKey{}, session)
}

// FromContext is the session that ctx carries. With none it is nil, on which every call does nothing.
func FromContext(ctx context.Context) *Session {
	if ctx == nil {
		return nil
	}
	session, _ := ctx.Value(contextKey{}).(*Session)
	return session
}
