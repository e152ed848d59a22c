// Command observed is a SCIM endpoint over SQLite with traces, metrics for Prometheus, and probes.
// Its second address is for machines of yours only.
//
//	SCIM_TOKEN=secret go run . -db observed.db
//	curl -H 'Authorization: Bearer secret' localhost:8080/scim/v2/Users
//	curl localhost:9090/metrics
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
	_ "modernc.org/sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/health"
	"github.com/scimkit/scim/otelscim"
	"github.com/scimkit/scim/store/sqlstore"
)

func main() {
	file := flag.String("db", "observed.db", "the SQLite file")
	share := flag.Float64("share", 0.1, "the share of requests that are traced, above 0")
	flag.Parse()
	if *share <= 0 {
		log.Fatal("-share must be above 0: to trace nothing, give the TracerProvider the sampler trace.NeverSample")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, *file, os.Getenv("SCIM_TOKEN"), *share); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, file, token string, share float64) error {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return err
	}
	defer db.Close()
	observer, metrics, stop, err := observe(os.Stdout, share)
	if err != nil {
		return err
	}
	defer stop(context.WithoutCancel(ctx)) //nolint:errcheck // the last spans are lost
	public, private, err := handlers(ctx, db, token, observer, metrics)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	for address, h := range map[string]http.Handler{"localhost:8080": public, "localhost:9090": private} {
		s := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
			WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute}
		defer s.Close()
		go func() { failed <- s.ListenAndServe() }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// observe makes an Observer whose spans go to w, and the page that Prometheus reads. Call stop at
// the end of the process.
func observe(w io.Writer, share float64) (o scim.Observer, metrics http.Handler, stop func(context.Context) error, err error) {
	registry := prometheus.NewRegistry()
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return nil, nil, nil, err
	}
	spans, err := stdouttrace.New(stdouttrace.WithWriter(w)) // in production: otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	tracers := trace.NewTracerProvider(trace.WithBatcher(spans))
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	o, err = otelscim.New(otelscim.Options{Share: share, TracerProvider: tracers, MeterProvider: meters, Prefix: "/scim/v2"})
	stop = func(ctx context.Context) error { return errors.Join(tracers.Shutdown(ctx), meters.Shutdown(ctx)) }
	return o, promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), stop, err
}

// handlers makes what clients see, and what only machines of yours see.
func handlers(ctx context.Context, db *sql.DB, token string, o scim.Observer, metrics http.Handler) (public, private http.Handler, err error) {
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
	if err != nil {
		return nil, nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, nil, err
	}
	h, err := scim.New(scim.Config{Store: store, Auth: auth.Bearer(auth.TokenOf(token)), Observers: []scim.Observer{o}})
	if err != nil {
		return nil, nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", metrics)
	mux.Handle("/healthz", health.Live())
	mux.Handle("/readyz", health.Ready(health.Options{}, db.PingContext, health.Reads(store)))
	return scim.Mount("/scim/v2", h, nil), mux, nil
}
