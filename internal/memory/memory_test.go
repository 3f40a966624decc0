package memory

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestBytes(t *testing.T) {
	if n := Bytes(3, 1<<20, 4); n != 12<<20 {
		t.Errorf("got %d", n)
	}
	if n := Bytes(1<<32, 1<<32); n != math.MaxInt64 {
		t.Errorf("a product beyond 63 bits gave %d", n)
	}
	if n := Sum(math.MaxInt64-1, 5); n != math.MaxInt64 {
		t.Errorf("a sum beyond 63 bits gave %d", n)
	}
}

func TestCheck(t *testing.T) {
	if err := Check("little", 1); err != nil {
		t.Error(err)
	}
	err := Check("a huge picture", math.MaxInt64-1)
	var e *Error
	if Available() < math.MaxInt64-1 && (!errors.As(err, &e) || e.Need != math.MaxInt64-1 ||
		!strings.Contains(err.Error(), "a huge picture needs about")) {
		t.Errorf("got %v", err)
	}
	if Available() <= 0 {
		t.Error("no memory at all is said to be left")
	}
}
