//go:build go1.21

package datacat

import (
	"context"
	"log/slog"
)

// LogOptions configure a log handler. The zero value records everything from Info on.
type LogOptions struct {
	// Level is the lowest level that is recorded. Default: slog.LevelInfo.
	Level slog.Leveler
	// Group is the events' group, e.g. the part of the program that logs.
	Group string
	// Next receives each record as well, e.g. to print it.
	Next slog.Handler
}

// NewLogHandler returns a handler that records each record of log/slog as an event named "log": its level as category, its
// attributes as data, and from slog.LevelError on an attribute that is an error as exception.
//
//	slog.SetDefault(slog.New(datacat.NewLogHandler(session, datacat.LogOptions{Next: slog.NewTextHandler(os.Stderr, nil)})))
func NewLogHandler(session *Session, options LogOptions) slog.Handler {
	return &logHandler{session: session, options: options}
}

type logHandler struct {
	session *Session
	options LogOptions
	scopes  []scope // from With and WithGroup, outermost first
}

// scope is a group that was opened, or attributes that belong to the groups before it.
type scope struct {
	group string
	attrs []slog.Attr
}

func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.records(level) || h.options.Next != nil && h.options.Next.Enabled(ctx, level)
}

func (h *logHandler) records(level slog.Level) bool {
	least := slog.LevelInfo
	if h.options.Level != nil {
		least = h.options.Level.Level()
	}
	return level >= least
}

func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	if h.records(record.Level) && h.session.ready() {
		h.log(&record)
	}
	if h.options.Next != nil && h.options.Next.Enabled(ctx, record.Level) {
		return h.options.Next.Handle(ctx, record)
	}
	return nil
}

func (h *logHandler) log(record *slog.Record) {
	defer func() { _ = recover() }() // a LogValuer of the program may panic

	var own []slog.Attr
	record.Attrs(func(attr slog.Attr) bool {
		own = append(own, attr)
		return true
	})
	event := Event{Name: "log", Category: categoryOf(record.Level), Group: h.options.Group, Message: record.Message, Time: record.Time}
	if data := nest(append(h.scopes[:len(h.scopes):len(h.scopes)], scope{attrs: own})); len(data) > 0 {
		event.Data = data
	}
	for _, attr := range own {
		if err, ok := attr.Value.Resolve().Any().(error); ok && err != nil && record.Level >= slog.LevelError {
			var place []uintptr
			if record.PC != 0 {
				place = []uintptr{record.PC}
			}
			event.Exception = describe(err, place)
			break
		}
	}
	h.session.log(&event)
}

// nest puts attributes into their groups. A group without attributes is left out.
func nest(scopes []scope) Object {
	var object Object
	for i, s := range scopes {
		if s.group != "" {
			if inner := nest(scopes[i+1:]); len(inner) > 0 {
				object = append(object, Field{Key: s.group, Value: inner})
			}
			return object
		}
		object = appendAttrs(object, s.attrs)
	}
	return object
}

func appendAttrs(object Object, attrs []slog.Attr) Object {
	for _, attr := range attrs {
		value := attr.Value.Resolve()
		switch {
		case value.Kind() != slog.KindGroup:
			if attr.Key != "" || value.Any() != nil {
				object = append(object, Field{Key: attr.Key, Value: value.Any()})
			}
		case attr.Key == "":
			object = appendAttrs(object, value.Group())
		default:
			if inner := appendAttrs(nil, value.Group()); len(inner) > 0 {
				object = append(object, Field{Key: attr.Key, Value: inner})
			}
		}
	}
	return object
}

func categoryOf(level slog.Level) Category {
	switch {
	case level < slog.LevelInfo:
		return Debug
	case level < slog.LevelWarn:
		return Info
	case level < slog.LevelError:
		return Warning
	case level < slog.LevelError+4:
		return Error
	}
	return Critical
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	next := h.options.Next
	if next != nil {
		next = next.WithAttrs(attrs)
	}
	return h.within(scope{attrs: attrs}, next)
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := h.options.Next
	if next != nil {
		next = next.WithGroup(name)
	}
	return h.within(scope{group: name}, next)
}

func (h *logHandler) within(s scope, next slog.Handler) *logHandler {
	inner := *h
	inner.scopes = append(h.scopes[:len(h.scopes):len(h.scopes)], s)
	inner.options.Next = next
	return &inner
}
