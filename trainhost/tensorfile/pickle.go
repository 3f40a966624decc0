package tensorfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The part of Python's pickle language that torch.save writes. A pickle is a program for a machine
// with a stack; see Python's Lib/pickletools.py for its instructions. This reader knows those that
// build numbers, strings, tuples, lists and dictionaries. It calls nothing: of the functions and
// classes that a pickle may name, a few have a meaning here, and any other name is an error.

// The values are nil, bool, int64, float64, string, tuple, *list, *dict, class, *storage,
// *rawTensor and opaque.
type (
	tuple []any
	list  struct{ items []any }
	dict  struct{ keys, values []any }
	class string // a function or class, "module.name"
	// opaque stands for an object that tensors do not depend on.
	opaque  struct{}
	storage struct {
		key      string // name of the entry with the data
		dtype    DType
		elements int64
	}
	rawTensor struct {
		storage        *storage
		offset         int64 // in elements
		shape, strides []int
	}
	mark struct{}
)

// storages are the classes of storages and the types of their elements.
var storages = map[class]DType{
	"torch.DoubleStorage": F64, "torch.FloatStorage": F32, "torch.HalfStorage": F16, "torch.BFloat16Storage": BF16,
	"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ShortStorage": "I16", "torch.CharStorage": "I8",
	"torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
}

// harmless are classes that training scripts store beside tensors. Their objects become opaque.
var harmless = map[class]bool{
	"argparse.Namespace": true, "pathlib.PosixPath": true, "torch.device": true, "torch.Size": true,
	"torch.float32": true, "torch.float16": true, "torch.bfloat16": true, "torch.float64": true, "torch.int64": true,
}

const (
	makeTensor    class = "torch._utils._rebuild_tensor_v2"
	makeParameter class = "torch._utils._rebuild_parameter"
	orderedDict   class = "collections.OrderedDict"
)

// machine runs a pickle.
type machine struct {
	code  []byte
	at    int
	stack []any
	memo  map[int]any
}

// unpickle runs a pickle and returns its value. Its memory is proportional to the length of code.
func unpickle(code []byte) (v any, err error) {
	m := &machine{code: code, memo: map[int]any{}}
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, &Error{Where: "pickle", What: "it ends early"}
		}
		if op[0] == '.' {
			v, err = m.pop()
		} else {
			err = m.step(op[0])
		}
		if err != nil {
			return nil, &Error{Where: fmt.Sprintf("pickle, byte %d", m.at), What: "it cannot be read", Err: err}
		}
		if op[0] == '.' {
			return v, nil
		}
	}
}

var errShort = errors.New("the pickle ends within an instruction")

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.code)-m.at {
		return nil, errShort
	}
	m.at += n
	return m.code[m.at-n : m.at], nil
}

// number reads an unsigned little-endian number of n bytes, at most 8.
func (m *machine) number(n int) (uint64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var full [8]byte
	copy(full[:], b)
	return binary.LittleEndian.Uint64(full[:]), nil
}

// text reads a string whose length is a number of n bytes.
func (m *machine) text(n int) (string, error) {
	size, err := m.number(n)
	if err != nil {
		return "", err
	}
	b, err := m.take(int(min(size, math.MaxInt)))
	return string(b), err
}

func (m *machine) line() (string, error) {
	s, _, ok := strings.Cut(string(m.code[m.at:min(len(m.code), m.at+512)]), "\n")
	if !ok {
		return "", errors.New("a name does not end")
	}
	m.at += len(s) + 1
	return s, nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	n := len(m.stack)
	if n == 0 {
		return nil, errors.New("the stack is empty")
	}
	v := m.stack[n-1]
	m.stack = m.stack[:n-1]
	if _, ok := v.(mark); ok {
		return nil, errors.New("a mark is used as a value")
	}
	return v, nil
}

// popMark returns what is above the last mark, and removes it and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("there is no mark on the stack")
}

// remember stores the top of the stack under a number.
func (m *machine) remember(k uint64, err error) error {
	if err != nil {
		return err
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	m.push(v)
	m.memo[int(k)] = v
	return nil
}

func (m *machine) recall(k uint64, err error) error {
	if err != nil {
		return err
	}
	v, ok := m.memo[int(k)]
	if !ok {
		return fmt.Errorf("value %d is used before it is stored", k)
	}
	m.push(v)
	return nil
}

// tuple replaces the last n values by a tuple of them.
func (m *machine) tuple(n int) error {
	t := make(tuple, n)
	for i := n - 1; i >= 0; i-- {
		v, err := m.pop()
		if err != nil {
			return err
		}
		t[i] = v
	}
	m.push(t)
	return nil
}

// pushing pushes a value that was read without an error.
func pushing[T any](m *machine, v T, err error) error {
	if err == nil {
		m.push(v)
	}
	return err
}

// step carries out one instruction. Their letters are those of pickletools.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		v, err := m.number(1)
		if err == nil && v > 5 {
			err = fmt.Errorf("protocol %d is not known", v)
		}
		return err
	case 0x95: // FRAME
		_, err := m.number(8)
		return err
	case '(':
		m.push(mark{})
	case '}':
		m.push(&dict{})
	case ']':
		m.push(&list{})
	case ')':
		m.push(tuple{})
	case 'N':
		m.push(nil)
	case 0x88:
		m.push(true)
	case 0x89:
		m.push(false)
	case 'K': // BININT1
		v, err := m.number(1)
		return pushing(m, int64(v), err)
	case 'M': // BININT2
		v, err := m.number(2)
		return pushing(m, int64(v), err)
	case 'J': // BININT
		v, err := m.number(4)
		return pushing(m, int64(int32(v)), err)
	case 0x8a: // LONG1
		return m.long()
	case 'G':
		b, err := m.take(8)
		if err != nil {
			return err
		}
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 'X', 'T': // BINUNICODE, BINSTRING
		s, err := m.text(4)
		return pushing(m, s, err)
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		s, err := m.text(1)
		return pushing(m, s, err)
	case 'q':
		return m.remember(m.number(1))
	case 'r':
		return m.remember(m.number(4))
	case 0x94: // MEMOIZE
		return m.remember(uint64(len(m.memo)), nil)
	case 'h':
		return m.recall(m.number(1))
	case 'j':
		return m.recall(m.number(4))
	case 't':
		items, err := m.popMark()
		return pushing(m, tuple(items), err)
	case 0x85, 0x86, 0x87:
		return m.tuple(int(op) - 0x84)
	case 'a', 'e', 's', 'u':
		return m.extend(op)
	case 'c':
		module, err := m.line()
		if err != nil {
			return err
		}
		name, err := m.line()
		if err != nil {
			return err
		}
		return m.global(module, name)
	case 0x93: // STACK_GLOBAL
		name, err := m.pop()
		if err != nil {
			return err
		}
		module, err := m.pop()
		if err != nil {
			return err
		}
		a, ok1 := module.(string)
		b, ok2 := name.(string)
		if !ok1 || !ok2 {
			return errors.New("the name of a class is not text")
		}
		return m.global(a, b)
	case 'R', 0x81, 'b', 'Q':
		return m.object(op)
	default:
		return fmt.Errorf("instruction %q is not one that tensors need", op)
	}
	return nil
}

// long reads a whole number of up to 255 bytes in two's complement. Numbers that need more than
// eight become opaque.
func (m *machine) long() error {
	n, err := m.number(1)
	if err != nil {
		return err
	}
	b, err := m.take(int(n))
	if err != nil {
		return err
	}
	if n > 8 {
		m.push(opaque{})
		return nil
	}
	var v int64
	for i, x := range b {
		v |= int64(x) << (8 * i)
	}
	if n > 0 && n < 8 && b[n-1] >= 128 {
		v -= 1 << (8 * n)
	}
	m.push(v)
	return nil
}

// extend adds to the list or dictionary below: an item (a), a pair (s), or what is above the last
// mark (e, u).
func (m *machine) extend(op byte) error {
	var items []any
	var err error
	switch op {
	case 'a', 's':
		for range map[byte]int{'a': 1, 's': 2}[op] {
			v, e := m.pop()
			if e != nil {
				return e
			}
			items = append([]any{v}, items...)
		}
	default:
		if items, err = m.popMark(); err != nil {
			return err
		}
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	m.push(v)
	switch to := v.(type) {
	case *list:
		if op == 'a' || op == 'e' {
			to.items = append(to.items, items...)
			return nil
		}
	case *dict:
		if (op == 's' || op == 'u') && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				to.keys, to.values = append(to.keys, items[i]), append(to.values, items[i+1])
			}
			return nil
		}
	case opaque:
		return nil
	}
	return fmt.Errorf("items are added to a %T", v)
}

// global pushes a function or class if it is one of those with a meaning.
func (m *machine) global(module, name string) error {
	c := class(module + "." + name)
	if _, ok := storages[c]; !ok && !harmless[c] && c != makeTensor && c != makeParameter && c != orderedDict {
		return fmt.Errorf("it names %q, which tensors do not need, so the file is not read and nothing of it was run; save only the dictionary of tensors (state_dict)", string(c))
	}
	m.push(c)
	return nil
}

// object carries out the instructions that would call code: REDUCE and NEWOBJ (a function or class
// with its arguments), BUILD (the attributes of an object) and BINPERSID (a storage).
func (m *machine) object(op byte) error {
	args, err := m.pop()
	if err != nil {
		return err
	}
	if op == 'Q' {
		s, err := newStorage(args)
		return pushing(m, s, err)
	}
	of, err := m.pop()
	if err != nil {
		return err
	}
	if op == 'b' {
		m.push(of) // attributes, such as _metadata of a dictionary of tensors, do not matter
		return nil
	}
	c, ok1 := of.(class)
	a, ok2 := args.(tuple)
	if !ok1 || !ok2 {
		return errors.New("a call without a class or arguments")
	}
	switch {
	case c == orderedDict && len(a) == 0:
		m.push(&dict{})
	case c == makeTensor:
		t, err := newTensor(a)
		return pushing(m, t, err)
	case c == makeParameter && len(a) > 0:
		t, ok := a[0].(*rawTensor)
		if !ok {
			return errors.New("a parameter without a tensor")
		}
		m.push(t)
	case harmless[c]:
		m.push(opaque{})
	default:
		return fmt.Errorf("%s with %d arguments", string(c), len(a))
	}
	return nil
}

// newStorage makes a storage of ("storage", class, key, device, elements).
func newStorage(v any) (*storage, error) {
	t, ok := v.(tuple)
	if !ok || len(t) != 5 || t[0] != any("storage") {
		return nil, errors.New("an object that is stored outside of the pickle is not a storage")
	}
	c, ok1 := t[1].(class)
	key, ok2 := t[2].(string)
	n, ok3 := t[4].(int64)
	dtype, ok4 := storages[c]
	if !ok1 || !ok2 || !ok3 || !ok4 || n < 0 || n > 1<<40 {
		return nil, errors.New("the description of a storage is not valid")
	}
	return &storage{key, dtype, n}, nil
}

// newTensor makes a tensor of (storage, offset, shape, strides, …). It checks that all elements are
// inside of the storage.
func newTensor(a tuple) (*rawTensor, error) {
	if len(a) < 4 {
		return nil, fmt.Errorf("a tensor of %d arguments", len(a))
	}
	s, ok1 := a[0].(*storage)
	off, ok2 := a[1].(int64)
	shape, ok3 := integers(a[2])
	strides, ok4 := integers(a[3])
	if !ok1 || !ok2 || !ok3 || !ok4 || len(shape) != len(strides) || off < 0 {
		return nil, errors.New("the description of a tensor is not valid")
	}
	n, err := elements(shape, 1<<40)
	if err != nil {
		return nil, err
	}
	left := s.elements - off
	if n > 0 {
		left--
		for i, size := range shape {
			if st := strides[i]; st > 0 && int64(size-1) > left/int64(st) {
				left = -1
				break
			}
			left -= int64(size-1) * int64(strides[i])
		}
	}
	if left < 0 {
		return nil, fmt.Errorf("a tensor of shape %v and strides %v from element %d on is not inside of its storage of %d", shape, strides, off, s.elements)
	}
	return &rawTensor{s, off, shape, strides}, nil
}

// integers converts a tuple of numbers that are not negative.
func integers(v any) ([]int, bool) {
	t, ok := v.(tuple)
	if !ok {
		return nil, false
	}
	n := make([]int, len(t))
	for i, x := range t {
		k, ok := x.(int64)
		if !ok || k < 0 || k > math.MaxInt32 {
			return nil, false
		}
		n[i] = int(k)
	}
	return n, true
}

// Limits of nested dictionaries. They may contain each other, or share parts so often that listing
// all of them would take forever.
const (
	maxDepth  = 16
	maxVisits = 1 << 20
)

// walk calls f for every tensor of nested dictionaries and lists, with its name.
func walk(root any, f func(name string, t *rawTensor) error) error {
	visits, count := 0, 0
	seen := map[string]bool{}
	var visit func(name string, v any, depth int) error
	visit = func(name string, v any, depth int) error {
		if visits++; visits > maxVisits || depth > maxDepth || len(name) > 1<<10 {
			return bad("pickle", "its dictionaries have more than %d values, are nested deeper than %d or have too long names", maxVisits, maxDepth)
		}
		join := func(key string) string {
			if name == "" {
				return key
			}
			return name + "." + key
		}
		switch v := v.(type) {
		case *rawTensor:
			if count++; count > maxTensors {
				return bad("pickle", "more than %d tensors", maxTensors)
			}
			if seen[name] {
				return bad("pickle", "two tensors are called %q", name)
			}
			seen[name] = true
			return f(name, v)
		case *dict:
			for i, k := range v.keys {
				var key string
				switch k := k.(type) {
				case string:
					key = k
				case int64:
					key = strconv.FormatInt(k, 10)
				default:
					continue
				}
				if err := visit(join(key), v.values[i], depth+1); err != nil {
					return err
				}
			}
		case *list:
			for i, x := range v.items {
				if err := visit(join(strconv.Itoa(i)), x, depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return visit("", root, 0)
}
