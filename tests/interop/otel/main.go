// The OpenTelemetry Collector with its OTLP receiver and the exporter that prints what it got.
package main

import (
	"log"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/debugexporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

func main() {
	factories := func() (otelcol.Factories, error) {
		var f otelcol.Factories
		var err error
		if f.Receivers, err = receiver.MakeFactoryMap(otlpreceiver.NewFactory()); err != nil {
			return f, err
		}
		f.Exporters, err = exporter.MakeFactoryMap(debugexporter.NewFactory())
		return f, err
	}
	info := component.BuildInfo{Command: "collector", Version: "0"}
	command := otelcol.NewCommand(otelcol.CollectorSettings{BuildInfo: info, Factories: factories})
	if err := command.Execute(); err != nil {
		log.Fatal(err)
	}
}
