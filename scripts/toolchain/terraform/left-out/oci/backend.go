// Package oci stands for a backend of Terraform's that is published nowhere.
package oci

import "github.com/hashicorp/terraform/internal/backend"

func New() backend.Backend { panic("not in this build") }
