package datacat

import "context"

type contextKey struct{}

// NewContext returns a context that carries a session.
func NewContext(ctx context.Context, session *Session) context.Context {
	if ctx == nil {
		ctx = context.Background()
	}
	return context.WithValue(ctx, contextKey{}, session)
}

// FromContext returns the session that ctx carries, else nil. The methods of a nil session do nothing.
func FromContext(ctx context.Context) *Session {
	if ctx == nil {
		return nil
	}
	session, _ := ctx.Value(contextKey{}).(*Session)
	return session
}
