package host

import "context"

type previewKey struct{}

// WithPreview returns a context for a request whose effects are rolled back.
func WithPreview(ctx context.Context) context.Context {
	return context.WithValue(ctx, previewKey{}, true)
}

// IsPreview reports whether the effects of the request are rolled back.
func IsPreview(ctx context.Context) bool { return ctx.Value(previewKey{}) != nil }
