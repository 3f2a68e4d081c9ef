module github.com/datacat/datacat/clients/go/v2

go 1.19
