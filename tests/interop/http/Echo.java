import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/**
 * Java as an HTTP/2 peer.
 *
 *   Echo server --port=N                      Jetty: POST: what was sent; GET /N: N times 'm'
 *   Echo client --url=URL --size=N --ca=FILE  the JDK's HttpClient over TLS (it has no prior
 *                                             knowledge): posts N bytes, compares what comes back
 */
public final class Echo extends Handler.Abstract {
    static final class Pattern extends InputStream {
        private long at, size;

        Pattern(long size) {
            this.size = size;
        }

        static int of(long i) {
            return (int) ((i * 31 >> 3) & 255);
        }

        @Override
        public int read() {
            return at < size ? of(at++) : -1;
        }

        @Override
        public int read(byte[] out, int from, int len) {
            int n = (int) Math.min(len, size - at);
            for (int i = 0; i < n; i++)
                out[from + i] = (byte) of(at++);
            return n == 0 && len > 0 ? -1 : n;
        }
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        response.setStatus(200);
        if (request.getMethod().equals("POST")) {
            Content.copy(request, response, callback);
            return true;
        }
        long left = Long.parseLong(Request.getPathInContext(request).substring(1));
        byte[] piece = new byte[65536];
        java.util.Arrays.fill(piece, (byte) 'm');
        try (var out = Content.Sink.asOutputStream(response)) {
            for (; left > 0; left -= piece.length)
                out.write(piece, 0, (int) Math.min(left, piece.length));
        }
        callback.succeeded();
        return true;
    }

    static void serve(int port) throws Exception {
        Server server = new Server();
        ServerConnector connector =
            new ServerConnector(server, new HTTP2CServerConnectionFactory(new HttpConfiguration()));
        connector.setHost("127.0.0.1");
        connector.setPort(port);
        server.addConnector(connector);
        server.setHandler(new Echo());
        server.start();
        server.join();
    }

    static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream in = new FileInputStream(file)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    static void post(String url, long size, String ca) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).sslContext(trusting(ca)).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
            .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new Pattern(size))).build();
        HttpResponse<InputStream> answer = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        long got = 0;
        byte[] piece = new byte[65536];
        for (int n; (n = answer.body().read(piece)) > 0;)
            for (int i = 0; i < n; i++)
                if (piece[i] != (byte) Pattern.of(got++))
                    throw new IOException("byte " + (got - 1) + " differs");
        if (answer.version() != HttpClient.Version.HTTP_2 || answer.statusCode() != 200 || got != size)
            throw new IOException(answer.version() + ", status " + answer.statusCode() + ", " + got + " bytes");
    }

    public static void main(String[] args) throws Exception {
        String port = "0", url = "", size = "0", ca = "";
        for (String a : args) {
            String value = a.substring(a.indexOf('=') + 1);
            if (a.startsWith("--port="))
                port = value;
            else if (a.startsWith("--url="))
                url = value;
            else if (a.startsWith("--size="))
                size = value;
            else if (a.startsWith("--ca="))
                ca = value;
        }
        if (args[0].equals("client"))
            post(url, Long.parseLong(size), ca);
        else
            serve(Integer.parseInt(port));
        System.exit(0);
    }
}
