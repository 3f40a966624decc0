package main

import (
	"context"
	"errors"
)

func pack(args []string) error { return errors.New("pack") }

func eval(ctx context.Context, args []string) error { return errors.New("eval") }
