package restore

import (
	"fmt"

	"github.com/vfmrestore/restore/internal/engine"
)

// ErrClosed is returned by calls on a Model that is closed, before or during the call.
var ErrClosed = engine.ErrClosed

// RequestError says that a picture cannot be restored as asked.
type RequestError struct {
	Field  string // a field of Request in lower case, or "picture"
	Reason string // completes "the FIELD ..."
}

func (e *RequestError) Error() string { return "the " + e.Field + " " + e.Reason }

func badRequest(field, format string, args ...any) error {
	return &RequestError{field, fmt.Sprintf(format, args...)}
}

// ConfigError says that a Model cannot be opened as asked.
type ConfigError struct{ Field, Reason string }

func (e *ConfigError) Error() string { return "restore: Config." + e.Field + " " + e.Reason }

// NetworkError says that weights do not belong to a network that this program knows.
type NetworkError struct {
	What string // what is wrong
	Err  error  // the cause; may be nil
}

func (e *NetworkError) Error() string {
	s := "unusable weights: " + e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *NetworkError) Unwrap() error { return e.Err }

func badNetwork(format string, args ...any) error {
	return &NetworkError{What: fmt.Sprintf(format, args...)}
}

// UnsupportedTaskError says that the weights were not trained for a task.
type UnsupportedTaskError struct{ Task, Trained string }

func (e *UnsupportedTaskError) Error() string {
	return fmt.Sprintf("these weights were not trained for task %s, only for %s", e.Task, e.Trained)
}

// OutputError says that the device computed values that are no picture.
type OutputError struct{ Device string }

func (e *OutputError) Error() string {
	return fmt.Sprintf("the network gave values that are not finite numbers on %s; the weights are damaged or the driver is at fault (try another -device)", e.Device)
}
