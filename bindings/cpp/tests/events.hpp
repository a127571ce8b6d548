/* Events that several tests record. */
#ifndef MVX_TEST_EVENTS_HPP
#define MVX_TEST_EVENTS_HPP

#include <mvx_metrics.hpp>

namespace shop {

struct Sale {
    mvx::Symbol article;
    std::uint32_t pieces;
    double price;
};
MVX_EVENT(Sale, "test.shop.sale", article, pieces, price);

struct Closed {};
MVX_EVENT(Closed, "test.shop.closed");

} // namespace shop

/* Starts a recorder that is made on the default runtime. */
inline mvx::Recorder running_recorder(const mvx::RecorderOptions &options = {})
{
    auto recorder = mvx::Recorder::create(options);
    (void)recorder->start()->get();
    return std::move(*recorder);
}

#endif
