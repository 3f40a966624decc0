package trainhost

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// EventLog writes reports for TensorBoard: a file of events in a folder. Each event is a record
// with a length and checksums around a protocol buffer (tensorboard.Event). Only the fields that
// scalars need are written.
type EventLog struct{ f *os.File }

// NewEventLog begins a file in the folder, and makes the folder if it does not exist. TensorBoard
// shows all files of a folder as one run.
func NewEventLog(dir string) (*EventLog, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	now := time.Now()
	f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%010d.trainhost.%d", now.Unix(), now.Nanosecond())), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	l := &EventLog{f}
	const fileVersion = 3
	return l, l.record(protowire.AppendString(protowire.AppendTag(wallTime(now), fileVersion, protowire.BytesType), "brain.Event:2"))
}

// wallTime begins an event with its time.
func wallTime(t time.Time) []byte {
	const field = 1
	return protowire.AppendFixed64(protowire.AppendTag(nil, field, protowire.Fixed64Type), math.Float64bits(float64(t.UnixNano())/1e9))
}

// Write adds a report: the numbers of Row, named loss/…, PSNR/… and run/…. loss/total is what is
// minimised.
func (l *EventLog) Write(r Report) error {
	const step, summary = 2, 5
	var s []byte
	scalar := func(tag string, v float64) {
		const value, name, simple = 1, 1, 2
		b := protowire.AppendString(protowire.AppendTag(nil, name, protowire.BytesType), tag)
		b = protowire.AppendFixed32(protowire.AppendTag(b, simple, protowire.Fixed32Type), math.Float32bits(float32(v)))
		s = protowire.AppendBytes(protowire.AppendTag(s, value, protowire.BytesType), b)
	}
	scalar("loss/unscaled", r.Unscaled)
	scalar("loss/total", r.Loss)
	for _, n := range allTerms {
		if v, ok := r.Terms[n]; ok {
			scalar("loss/"+string(n), v)
		}
	}
	for c, p := range r.PSNR {
		if !math.IsNaN(p) { // a task that is not trained
			scalar("PSNR/"+classTask[c].String(), p)
		}
	}
	scalar("run/learning rate", r.Rate)
	scalar("run/seconds per step", r.Seconds)
	scalar("run/pictures per second", r.PerSecond())
	e := protowire.AppendVarint(protowire.AppendTag(wallTime(time.Now()), step, protowire.VarintType), r.Step)
	return l.record(protowire.AppendBytes(protowire.AppendTag(e, summary, protowire.BytesType), s))
}

// Close closes the file.
func (l *EventLog) Close() error { return l.f.Close() }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of TFRecord files: a masked CRC-32C.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

func (l *EventLog) record(event []byte) error {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(event)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, event...)
	b = binary.LittleEndian.AppendUint32(b, masked(event))
	_, err := l.f.Write(b)
	return err
}
