import { expect } from 'chai';
import { PrometheusMetrics } from '../../../../control-plane/src/adapters/metrics/prometheus-metrics.ts';

describe('adapters/metrics prometheus-metrics', () => {
  const textOf = async (metrics: PrometheusMetrics) => (await metrics.exposition()).text;

  it('counts, times and gauges', async () => {
    const metrics = new PrometheusMetrics({ node: 'n1' });
    metrics.count('hamrahi_http_requests_total', { operation: 'getSos', status: '200' });
    metrics.count('hamrahi_http_requests_total', { operation: 'getSos', status: '200' });
    metrics.observe('hamrahi_feed_delivery_ms', 3);
    metrics.gauge('hamrahi_feed_connections', 7);
    const text = await textOf(metrics);
    expect(text).to.contain('# HELP hamrahi_feed_connections Open panel feed connections.');
    expect(text).to.contain('hamrahi_http_requests_total{operation="getSos",status="200",node="n1"} 2');
    expect(text).to.contain('hamrahi_feed_delivery_ms_bucket{le="5",node="n1"} 1');
    expect(text).to.contain('hamrahi_feed_delivery_ms_bucket{le="2",node="n1"} 0');
    expect(text).to.contain('hamrahi_feed_connections{node="n1"} 7');
    expect(text).to.contain('nodejs_eventloop_lag_p99_seconds');
  });

  it('drops and counts what is misused, and never throws', async () => {
    const metrics = new PrometheusMetrics();
    metrics.count('hamrahi_a_total', { kind: 'x' });
    metrics.count('hamrahi_a_total', { other: 'x' });
    metrics.count('hamrahi_a_total');
    metrics.observe('hamrahi_a_total', 1);
    metrics.count('not a name');
    metrics.observe('hamrahi_b_ms', Number.NaN);
    const text = await textOf(metrics);
    expect(text).to.contain('hamrahi_a_total{kind="x"} 1');
    expect(text).to.contain('hamrahi_metrics_dropped_total{metric="hamrahi_a_total"} 3');
    expect(text).to.contain('hamrahi_metrics_dropped_total{metric="other"} 2');
  });

  it('bounds the series of one metric', async () => {
    const metrics = new PrometheusMetrics();
    for (let id = 0; id < 2000; id++) metrics.count('hamrahi_leak_total', { citizen: `c${id}` });
    const text = await textOf(metrics);
    expect(text.match(/^hamrahi_leak_total\{/gm)).to.have.length(500);
    expect(text).to.contain('hamrahi_metrics_dropped_total{metric="hamrahi_leak_total"} 1500');
  });
});
