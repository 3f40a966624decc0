package shaders

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// Build is all that the code of a module depends on: the kernel with its sizes, what it is lowered
// for, and which operands are float16 in memory.
type Build struct {
	Kernel Kernel
	Target Target
	Half   Halves
}

// Halves is a set of operands, a bit for each: those that are float16 in memory (GPU lowering, for
// devices with 16-bit storage). Arithmetic is still float32.
type Halves uint32

// With returns the set with operand op added.
func (h Halves) With(op int) Halves { return h | 1<<op }

// Has reports whether operand op is in the set.
func (h Halves) Has(op int) bool { return h>>op&1 == 1 }

// Key returns a text that identifies the build. It holds the types and the values of all fields of
// the build, so builds with the same key are equal, and equal builds have the same code. It is two
// words: the kernel, and what it is lowered for. It panics if a kernel has a field whose value does
// not say all about it, such as a function or a pointer.
func (b Build) Key() string {
	text := appendValue(nil, reflect.ValueOf(b.Kernel))
	text = append(text, ' ')
	text = appendValue(text, reflect.ValueOf(b.Target))
	if b.Half != 0 {
		text = strconv.AppendUint(append(text, " half:"...), uint64(b.Half), 2)
	}
	return string(text)
}

var ownPackage = reflect.TypeFor[Build]().PkgPath()

// appendValue appends a value: numbers in decimal, lists in brackets, structs as their type and,
// by name, their fields that are not zero.
func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Float64:
		if f := v.Float(); f == f {
			return strconv.AppendFloat(b, f, 'g', -1, 64)
		}
		return strconv.AppendUint(append(b, "NaN"...), math.Float64bits(v.Float()), 16)
	case reflect.Slice, reflect.Array:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, v.Index(i))
		}
		return append(b, ']')
	case reflect.Struct:
		t := v.Type()
		if t.PkgPath() != ownPackage {
			b = append(append(b, t.PkgPath()...), '.')
		}
		b = append(append(b, t.Name()...), '{')
		first := true
		for i := range t.NumField() {
			if isZero(v.Field(i)) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(append(b, t.Field(i).Name...), ':')
			b = appendValue(b, v.Field(i))
		}
		return append(b, '}')
	}
	panic(fmt.Sprintf("shaders: a kernel has a field of type %v, which cannot be part of its key", v.Type()))
}

// isZero reports whether a field may be left out of a key. Minus zero is not zero.
func isZero(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice:
		return v.Len() == 0
	case reflect.Float64:
		return math.Float64bits(v.Float()) == 0
	case reflect.Struct:
		for i := range v.NumField() {
			if !isZero(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}
