// Package oss stands for a backend of Terraform's that is published nowhere.
package oss

import "github.com/hashicorp/terraform/internal/backend"

func New() backend.Backend { panic("not in this build") }
