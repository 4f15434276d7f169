using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Frazil.Config;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Frazil.Server.Http;

/// <summary>Kestrel and the routes. Takes nothing from files or environment variables but what <see cref="ServerOptions"/> says.</summary>
internal sealed class HttpHost : IAsyncDisposable
{
    public const int LargestBody = 1 << 20;

    /// <summary>Whatever is there to be read answers HEAD like GET; the server leaves the body out. Probes ask so.</summary>
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    private readonly WebApplication application;

    private HttpHost(WebApplication application, Uri address) => (this.application, Address) = (application, address);

    /// <summary>Where it listens, with the port that was picked.</summary>
    public Uri Address { get; }

    /// <exception cref="FrazilStartException">The address cannot be listened on.</exception>
    public static async Task<HttpHost> StartAsync(
        ServerOptions options, ServingState state, Meter meter, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var listen = ListenAddress.Parse(options.Http);
        var application = Build(options, listen, state, meter, loggers);
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            await application.DisposeAsync();
            throw new FrazilStartException(Explain(listen, exception), exception);
        }
        var addresses = application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
        return new HttpHost(application, new Uri(addresses.Addresses.First()));
    }

    public Task StopAsync(CancellationToken cancellationToken) => application.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => application.DisposeAsync();

    private static WebApplication Build(ServerOptions options, ListenAddress listen, ServingState state, Meter meter, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(_ => ServerMetrics.Export(meter)); // disposed with the application
        // Signals are the verb's business: it must flush and commit before the process goes.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.Limits.MaxConcurrentConnections = ConnectionLimit.Of(ConnectionLimit.OpenFiles());
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(1);
            if (listen.Host == "localhost" && listen.Port != 0)
            {
                kestrel.ListenLocalhost(listen.Port);
            }
            else
            {
                kestrel.Listen(listen.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(listen.Host), listen.Port);
            }
        });
        var application = builder.Build();
        var gate = new RequestGate(options, listen.IsLoopback, loggers.CreateLogger("Frazil.Http"));
        application.Use(next => context => gate.InvokeAsync(context, next));
        Map(application, state);
        return application;
    }

    private static void Map(WebApplication application, ServingState state)
    {
        var sql = new SqlEndpoint(state);
        var tables = new TablesEndpoint(state);
        application.UseRouting();
        application.MapPost("/v1/sql", (RequestDelegate)sql.HandleAsync);
        application.MapMethods("/v1/tables", Reading, (RequestDelegate)tables.ListAsync);
        application.MapMethods("/v1/tables/{table}", Reading, (RequestDelegate)tables.GetAsync);
        application.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new HttpMethodMetadata(Reading));
        application.MapMethods(
            "/healthz", Reading,
            (RequestDelegate)(context => WriteAsync(context, "application/json", """{"status":"alive","service":"frazil"}""")));
        application.MapMethods("/readyz", Reading, (RequestDelegate)(context => WriteReadinessAsync(context, state)));
        application.MapMethods("/", Reading, (RequestDelegate)ConsolePage.WriteAsync);
    }

    /// <summary>Ready while queries are answered, whatever single tables do: those that commit nothing are named.</summary>
    private static Task WriteReadinessAsync(HttpContext context, ServingState state)
    {
        if (state.Engine is not { } engine)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return WriteAsync(context, "application/json", """{"status":"starting or stopping"}""");
        }
        var troubled = engine.Tables.Where(static table => table.State is "failing" or "failed").ToList();
        return WriteAsync(
            context, "application/json", troubled.Count == 0 ? """{"status":"ready"}""" : TablesEndpoint.DegradedText(troubled));
    }

    private static Task WriteAsync(HttpContext context, string contentType, string body)
    {
        context.Response.ContentType = contentType;
        return context.Response.WriteAsync(body, context.RequestAborted);
    }

    private static string Explain(ListenAddress listen, Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException!)
        {
            switch (cause)
            {
                case AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return $"server.http = \"{listen}\": the port is taken by another process. Stop that one (another frazil run?), or choose another port";
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return $"server.http = \"{listen}\": listening on this port is not permitted. Choose a port above 1023";
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return $"server.http = \"{listen}\": this machine has no such address. Choose 127.0.0.1 or 0.0.0.0";
            }
        }
        return $"server.http = \"{listen}\": cannot listen there: {exception.Message}";
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
