/** Uses the library, says so, and stays until nothing more can be read. */
public class Hold {
    public static void main(String[] arguments) throws Exception {
        System.out.println(dev.mvx.metrics.Library.abiVersion());
        System.in.readAllBytes();
    }
}
