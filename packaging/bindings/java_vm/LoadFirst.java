/** A process that has a library already when Java's binding is loaded: the path of the library, then what to run. */
public class LoadFirst {
    public static void main(String[] arguments) {
        System.load(arguments[0]);
        System.out.println(dev.mvx.metrics.Library.abiVersion());
    }
}
