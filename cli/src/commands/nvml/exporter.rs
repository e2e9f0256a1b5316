//! `clusterlab nvml exporter`.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use clusterlab_nvml::{HostFacts, NvmlSource, exporter};

use super::{interrupted, runtime};
use crate::output;

/// Serve the GPUs' metrics to Prometheus, under the names of NVIDIA's dcgm-exporter, until Ctrl-C
#[derive(Debug, Args)]
pub struct Exporter {
    /// Address and port to listen on; dcgm-exporter's port, but on this machine's own address only
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, exporter::PORT)), value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The label Hostname [default: the host name]
    #[arg(long)]
    hostname: Option<String>,
    /// Print the metrics once and end
    #[arg(long)]
    once: bool,
}

impl Exporter {
    /// Serves.
    pub fn run(self, source: NvmlSource) -> Result<u8> {
        let hostname = self.hostname.unwrap_or_else(|| HostFacts::read().hostname);
        let exporter = exporter::Exporter::new(Arc::new(source), hostname);
        if self.once {
            output::text(&exporter.scrape().map_err(|error| super::told(&error))?)?;
            return Ok(0);
        }
        runtime()?.block_on(async {
            let listener = tokio::net::TcpListener::bind(self.listen)
                .await
                .with_context(|| format!("cannot listen on {}", self.listen))?;
            output::error_text(&format!("metrics on http://{}/metrics\n", listener.local_addr()?))?;
            exporter.serve(listener, interrupted()).await?;
            Ok(0)
        })
    }
}
