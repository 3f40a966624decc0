package compile

import (
	"testing"
)

// Programs with the same arena share its memory if it is large enough. Each computes the same as
// with memory of its own, whatever the others left there.
func TestArena(t *testing.T) {
	var a Arena
	first, err := a.take(testDev, 1000)
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.take(testDev, 400)
	if err != nil {
		t.Fatal(err)
	}
	larger, err := a.take(testDev, first.buf.Size()+1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.take(testDev, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if first != second || larger == first || again != larger {
		t.Errorf("%p, %p, %p, %p: want two of each", first, second, larger, again)
	}
	larger.release()
	again.release()
	fresh, err := a.take(testDev, 10)
	if err != nil || fresh == larger || fresh == first {
		t.Errorf("memory that was given back is used: %v", err)
	}
	if err := testDev.Write(first.buf, 0, make([]byte, 8)); err != nil {
		t.Errorf("memory in use is gone: %v", err)
	}
	first.release()
	second.release()
	if err := testDev.Write(first.buf, 0, make([]byte, 8)); err == nil {
		t.Error("memory was not freed after its last use")
	}
	fresh.release()
	own, err := (*Arena)(nil).take(testDev, 10)
	if err != nil {
		t.Fatal(err)
	}
	own.release()
}
