package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/vfmrestore/restore/trainhost"
)

// checkCSV fails before a run if its log cannot be written.
func checkCSV(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = logColumns(f, path)
	return err
}

// logColumns reads the names of the columns of a log; nil if the file is empty.
func logColumns(f io.Reader, path string) ([]string, error) {
	head, err := csv.NewReader(f).Read()
	if err == io.EOF {
		return nil, nil
	}
	if err != nil || !slices.Contains(head, "step") {
		return nil, fmt.Errorf("%s is not a log of trainhost: the first line does not have the names of the columns", path)
	}
	return head, nil
}

// appendCSV adds a report to a CSV file, whose first line has the names of the columns. A file of
// an older program keeps its columns.
func appendCSV(path string, r trainhost.Report) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := logColumns(f, path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	if head == nil {
		head = trainhost.ReportColumns()
		w.Write(head)
	}
	columns, values := trainhost.ReportColumns(), r.Row()
	row := make([]string, len(head))
	for i, name := range head {
		if k := slices.Index(columns, name); k >= 0 {
			row[i] = values[k]
		}
	}
	w.Write(row)
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return f.Close()
}
