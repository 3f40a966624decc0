package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// shard is the value of -shard: this process does every count-th picture, beginning with index.
type shard struct{ index, count int }

func (s *shard) String() string {
	if s.count == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.index, s.count)
}

// Set reads I/N, auto/N or auto. auto takes the index, and the count if it is not given, from the
// environment of a cluster's indexed job.
func (s *shard) Set(text string) error {
	index, count, ok := strings.Cut(text, "/")
	if index == "auto" {
		i, n, err := indexedJob(os.Getenv)
		if err != nil {
			return err
		}
		if !ok {
			if n == 0 {
				return fmt.Errorf("the environment has no number of jobs; give auto/N")
			}
			*s = shard{i, n}
			return s.check()
		}
		index = strconv.Itoa(i)
	}
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("give I/N, I from 0 to N−1, or auto/N in an indexed job")
	}
	*s = shard{i, n}
	return s.check()
}

func (s *shard) check() error {
	if s.count < 1 || s.index < 0 || s.index >= s.count {
		return fmt.Errorf("shard %d of %d: the index must be from 0 to one less than the number", s.index, s.count)
	}
	return nil
}

// indexedJob reads this job's index, from 0, and the number of jobs (0: unknown) from the
// environment of a Kubernetes Indexed Job, a Slurm job array or an AWS Batch array job.
func indexedJob(env func(string) string) (index, count int, err error) {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(env(name))
		return n, err == nil
	}
	if i, ok := number("JOB_COMPLETION_INDEX"); ok {
		return i, 0, nil
	}
	if i, ok := number("SLURM_ARRAY_TASK_ID"); ok {
		first, _ := number("SLURM_ARRAY_TASK_MIN")
		n, _ := number("SLURM_ARRAY_TASK_COUNT")
		return i - first, n, nil
	}
	if i, ok := number("AWS_BATCH_JOB_ARRAY_INDEX"); ok {
		n, _ := number("AWS_BATCH_JOB_ARRAY_SIZE")
		return i, n, nil
	}
	return 0, 0, fmt.Errorf("auto needs an indexed job: JOB_COMPLETION_INDEX, SLURM_ARRAY_TASK_ID or AWS_BATCH_JOB_ARRAY_INDEX in the environment")
}

// partOf returns the part of this process.
func partOf[T any](s shard, all []T) []T {
	if s.count < 2 {
		return all
	}
	var mine []T
	for i := s.index; i < len(all); i += s.count {
		mine = append(mine, all[i])
	}
	return mine
}
